import type { Failure } from '@/domain/run-live'

/** What somebody can do about a failure: keys of texts. The cause is in the failure's own words. */
export interface Advice {
  /** What kind of thing went wrong. */
  what: string
  /** What mends it. */
  remedy: string
  /** Where to go for it. */
  place?: 'node' | 'permissions' | 'credentials' | 'plugins'
}

const kinds: Record<string, Advice['place']> = {
  node: 'node',
  expression: 'node',
  invalid_config: 'node',
  denied: 'permissions',
  timeout: 'node',
  out_of_memory: 'node',
  limit_exceeded: 'node',
  trap: 'plugins',
  invalid_output: 'plugins',
  outcome_unknown: 'node',
  unavailable: 'plugins',
  cancelled: undefined,
}

/** Codes of nodes of which more is known than of their kind. */
const codes = new Set(['connection', 'http_status', 'invalid_json', 'too_large', 'token_invalid', 'token_refused', 'token_unavailable'])
/** Mended where the credential is. */
const ofCredential = new Set(['token_invalid', 'token_refused'])

export function adviceOn(failure: Failure): Advice {
  const kind = failure.kind in kinds ? failure.kind : 'node'
  const place = kind === 'node' && ofCredential.has(failure.code) ? 'credentials' : kinds[kind]
  const remedy = kind === 'node' && codes.has(failure.code) ? failure.code : kind
  return { what: `runs.why.${kind}`, remedy: `runs.mend.${remedy}`, ...(place && { place }) }
}
