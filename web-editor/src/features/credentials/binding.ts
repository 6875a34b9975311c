/** How the server puts a credential into a request. As the API writes it: a word, or a word with what it needs. */
export type Binding =
  | 'bearer'
  | 'url'
  | { basic: { username: string } }
  | { header: { name: string } }
  | { query: { name: string } }
  | { hmac: { header: string; algorithm?: 'sha256' | 'sha512'; encoding?: 'hex' | 'base64'; prefix?: string; timestamp_header?: string } }

export const kinds = ['bearer', 'basic', 'header', 'query', 'url', 'hmac'] as const
export type Kind = (typeof kinds)[number]

export const kindOf = (bind: Binding): Kind => (typeof bind === 'string' ? bind : (Object.keys(bind)[0] as Kind))

/** What a form holds: one text for each thing that some kind needs. */
export interface Draft {
  kind: Kind
  username: string
  name: string
  header: string
  algorithm: string
  encoding: string
  prefix: string
  hosts: string
}

export const blankDraft = (): Draft => ({ kind: 'bearer', username: '', name: '', header: 'X-Hub-Signature-256', algorithm: 'sha256', encoding: 'hex', prefix: 'sha256=', hosts: '' })

export function draftOf(bind: Binding, hosts: readonly string[]): Draft {
  const draft: Draft = { ...blankDraft(), kind: kindOf(bind), hosts: hosts.join('\n') }
  if (typeof bind === 'string') return draft
  return { ...draft, ...('hmac' in bind && { prefix: '' }), ...(Object.values(bind)[0] as Partial<Draft>) }
}

export function bindingOf(draft: Draft): Binding {
  switch (draft.kind) {
    case 'basic':
      return { basic: { username: draft.username } }
    case 'header':
      return { header: { name: draft.name } }
    case 'query':
      return { query: { name: draft.name } }
    case 'hmac':
      return { hmac: { header: draft.header, algorithm: draft.algorithm as 'sha256', encoding: draft.encoding as 'hex', ...(draft.prefix && { prefix: draft.prefix }) } }
    default:
      return draft.kind
  }
}

/** One host a line, or several with commas between. */
export const hostsOf = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean)

/** What is missing, as keys of texts by field. */
export function problemsOf(draft: Draft, name: string, value: string): Partial<Record<'credential' | 'username' | 'name' | 'header' | 'hosts' | 'value', string>> {
  const missing = 'auth.required'
  return {
    ...(!/^[a-z][a-z0-9_]{0,63}$/.test(name) && { credential: 'credentials.badName' }),
    ...(draft.kind === 'basic' && !draft.username.trim() && { username: missing }),
    ...((draft.kind === 'header' || draft.kind === 'query') && !draft.name.trim() && { name: missing }),
    ...(draft.kind === 'hmac' && !draft.header.trim() && { header: missing }),
    // An address names its own host.
    ...(draft.kind !== 'url' && !hostsOf(draft.hosts).length && { hosts: 'credentials.noHosts' }),
    ...(new TextEncoder().encode(value).length < 6 && { value: 'credentials.tooShort' }),
  }
}
