import { environments, type Credentials, type Environment, type NewTarget, type Target } from './api'

export const kinds = ['socket', 'tcp', 'ssh'] as const
export type Kind = (typeof kinds)[number]

/** The login of a registry of images, as a form holds it. */
export interface Login {
  host: string
  username: string
  password: string
}

/** What the form of a target holds. Secrets are only ever written: those that are left empty stay as they are. */
export interface Draft {
  name: string
  kind: Kind
  /** The path of a socket. */
  path: string
  /** A machine, for SSH with the account in front: `deploy@edge.example.org`. */
  host: string
  port: string
  environment: Environment
  groups: string
  tags: string
  description: string
  ca: string
  certificate: string
  key: string
  sshKey: string
  hostKeys: string
  logins: Login[]
}

export const blankDraft = (): Draft => ({
  name: '',
  kind: 'socket',
  path: '/var/run/docker.sock',
  host: '',
  port: '',
  environment: 'development',
  groups: '',
  tags: '',
  description: '',
  ca: '',
  certificate: '',
  key: '',
  sshKey: '',
  hostKeys: '',
  logins: [],
})

export const kindOf = (address: string): Kind => (address.startsWith('tcp://') ? 'tcp' : address.startsWith('ssh://') ? 'ssh' : 'socket')

/** Splits `host:port`; an address of IPv6 stays in its brackets. */
function hostAndPort(rest: string): { host: string; port: string } {
  const found = /^(.*?)(?::(\d+))?$/.exec(rest.replace(/\/+$/, ''))
  return { host: found?.[1] ?? '', port: found?.[2] ?? '' }
}

export function draftOf(target: Target): Draft {
  const kind = kindOf(target.address)
  const rest = target.address.replace(/^\w+:\/\//, '')
  return {
    ...blankDraft(),
    name: target.name,
    kind,
    ...(kind === 'socket' ? { path: rest } : { path: '', ...hostAndPort(rest) }),
    environment: environments.find((one) => one === target.environment) ?? 'development',
    groups: target.groups.join(', '),
    tags: target.tags.join(', '),
    description: target.description,
  }
}

export function addressOf({ kind, path, host, port }: Pick<Draft, 'kind' | 'path' | 'host' | 'port'>): string {
  if (kind === 'socket') return `unix://${path.trim()}`
  const machine = host.trim()
  if (kind === 'tcp') return `tcp://${machine}:${port.trim() || '2376'}`
  return `ssh://${machine}${port.trim() ? `:${port.trim()}` : ''}`
}

/** Words with commas or blanks between, each once. */
export const wordsOf = (text: string): string[] => [...new Set(text.split(/[\s,;]+/).filter(Boolean))]

function credentialsOf(draft: Draft): Credentials | undefined {
  const logins = draft.logins.filter(({ host, username, password }) => host.trim() && username && password)
  const written: Partial<Record<keyof Credentials, string>> =
    draft.kind === 'tcp' ? { ca: draft.ca, certificate: draft.certificate, key: draft.key } : draft.kind === 'ssh' ? { ssh_private_key: draft.sshKey, ssh_host_keys: draft.hostKeys } : {}
  const credentials: Credentials = {
    ...Object.fromEntries(Object.entries(written).flatMap(([part, text]) => (text.trim() ? [[part, `${text.trim()}\n`]] : []))),
    ...(logins.length && { registries: Object.fromEntries(logins.map(({ host, username, password }) => [host.trim(), { username, password }])) }),
  }
  return Object.keys(credentials).length ? credentials : undefined
}

export function bodyOf(draft: Draft): NewTarget {
  const credentials = credentialsOf(draft)
  return {
    name: draft.name.trim(),
    address: addressOf(draft),
    environment: draft.environment,
    groups: wordsOf(draft.groups),
    tags: wordsOf(draft.tags),
    description: draft.description.trim(),
    ...(credentials && { credentials }),
  }
}

/** What is missing, as keys of texts by field. The server judges the rest. */
export function problemsOf(draft: Draft): Partial<Record<'name' | 'path' | 'host' | 'port', string>> {
  const port = draft.port.trim()
  return {
    ...(!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(draft.name.trim()) && { name: 'targets.badName' }),
    ...(draft.kind === 'socket' && !draft.path.trim().startsWith('/') && { path: 'targets.badPath' }),
    ...(draft.kind !== 'socket' && !/^\S+$/.test(draft.host.trim()) && { host: 'targets.badHost' }),
    ...(draft.kind !== 'socket' && port && !(/^\d{1,5}$/.test(port) && Number(port) > 0 && Number(port) < 65_536) && { port: 'targets.badPort' }),
  }
}
