import { defaultKeymap } from '@codemirror/commands'

/** The usual keys of a text, without those that belong to the page: Ctrl Enter runs. */
export const textKeys = defaultKeymap.filter(({ key }) => key !== 'Mod-Enter')
