import type { Trigger } from './api'

/** Something that is to be set before a trigger, or a node that it starts, can do what the text says. */
export type Lack = Trigger['lacks'][number]

/** Where it is set. */
export const placeOf = ({ kind, name }: Lack) => ({ path: kind === 'secret' ? '/secrets' : '/credentials', query: { set: name } })
