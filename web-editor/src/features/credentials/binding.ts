/** How the server puts a credential into a request. As the API writes it: a word, or a word with what it needs. */
export type Binding =
  | 'bearer'
  | 'url'
  | { basic: { username: string } }
  | { header: { name: string } }
  | { query: { name: string } }
  | { oauth2: OAuth }
  | { hmac: { header: string; algorithm?: 'sha256' | 'sha512'; encoding?: 'hex' | 'base64'; prefix?: string; timestamp_header?: string } }

/** A client of a token server. */
export interface OAuth {
  token_url: string
  grant?: 'client_credentials' | 'refresh_token'
  client_id?: string
  scopes?: string[]
  audience?: string
  client_auth?: 'basic' | 'body'
}

export const kinds = ['bearer', 'basic', 'header', 'query', 'url', 'oauth2', 'hmac'] as const
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
  tokenUrl: string
  grant: string
  clientId: string
  /** With spaces between. */
  scopes: string
  audience: string
  clientAuth: string
  hosts: string
}

export const blankDraft = (): Draft => ({ kind: 'bearer', username: '', name: '', header: 'X-Hub-Signature-256', algorithm: 'sha256', encoding: 'hex', prefix: 'sha256=', tokenUrl: '', grant: 'client_credentials', clientId: '', scopes: '', audience: '', clientAuth: 'basic', hosts: '' })

export function draftOf(bind: Binding, hosts: readonly string[]): Draft {
  const draft: Draft = { ...blankDraft(), kind: kindOf(bind), hosts: hosts.join('\n') }
  if (typeof bind === 'string') return draft
  if ('oauth2' in bind) {
    const { token_url, grant, client_id, scopes, audience, client_auth } = bind.oauth2
    return { ...draft, tokenUrl: token_url, grant: grant ?? draft.grant, clientId: client_id ?? '', scopes: (scopes ?? []).join(' '), audience: audience ?? '', clientAuth: client_auth ?? draft.clientAuth }
  }
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
    case 'oauth2':
      return { oauth2: oauthOf(draft) }
    case 'hmac':
      return { hmac: { header: draft.header, algorithm: draft.algorithm as 'sha256', encoding: draft.encoding as 'hex', ...(draft.prefix && { prefix: draft.prefix }) } }
    default:
      return draft.kind
  }
}

function oauthOf(draft: Draft): OAuth {
  const scopes = hostsOf(draft.scopes)
  const [id, audience] = [draft.clientId.trim(), draft.audience.trim()]
  return {
    token_url: draft.tokenUrl.trim(),
    grant: draft.grant as 'refresh_token',
    ...(id && { client_id: id }),
    ...(scopes.length && { scopes }),
    ...(audience && { audience }),
    client_auth: draft.clientAuth as 'basic',
  }
}

/** One host a line, or several with commas between. */
export const hostsOf = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean)

/** What is missing, as keys of texts by field. */
export function problemsOf(draft: Draft, name: string, value: string): Partial<Record<'credential' | 'username' | 'name' | 'header' | 'tokenUrl' | 'clientId' | 'hosts' | 'value', string>> {
  const missing = 'auth.required'
  return {
    ...(!/^[a-z][a-z0-9_]{0,63}$/.test(name) && { credential: 'credentials.badName' }),
    ...(draft.kind === 'basic' && !draft.username.trim() && { username: missing }),
    ...((draft.kind === 'header' || draft.kind === 'query') && !draft.name.trim() && { name: missing }),
    ...(draft.kind === 'hmac' && !draft.header.trim() && { header: missing }),
    ...(draft.kind === 'oauth2' && !/^https?:\/\/[^/\s]/.test(draft.tokenUrl.trim()) && { tokenUrl: 'credentials.noTokenUrl' }),
    ...(draft.kind === 'oauth2' && draft.grant === 'client_credentials' && !draft.clientId.trim() && { clientId: missing }),
    // An address names its own host.
    ...(draft.kind !== 'url' && !hostsOf(draft.hosts).length && { hosts: 'credentials.noHosts' }),
    ...(new TextEncoder().encode(value).length < 6 && { value: 'credentials.tooShort' }),
  }
}
