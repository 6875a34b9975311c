import { ApiProblem, isAbort } from './problem'
import type { components } from './generated/schema'

type Tokens = components['schemas']['Tokens']

/**
 * The refresh token is in a cookie that no script can read; this only says that there is one, so that nobody who never signed in is asked
 * for. The access token is kept in memory only.
 */
const KEPT = 'windflow.session'
/** An access token this close to its end is renewed before it is used, in milliseconds. */
const MARGIN = 20_000

let access: { token: string; until: number } | undefined
let refreshing: Promise<boolean> | undefined
const endings = new Set<() => void>()

/** Whether somebody signed in on this device, and the session may go on. */
export const mayGoOn = (): boolean => {
  try {
    return localStorage.getItem(KEPT) !== null
  } catch {
    return true
  }
}

const keep = (is: boolean): void => {
  try {
    if (is) localStorage.setItem(KEPT, '1')
    else localStorage.removeItem(KEPT)
    // Earlier versions kept the token itself here.
    localStorage.removeItem('windflow.refresh')
  } catch {
    // Without storage the cookie alone says it.
  }
}

/** Takes over what a sign-in or a refresh gave. */
export function adopt(tokens: Tokens): void {
  access = { token: tokens.access_token, until: Date.now() + tokens.expires_in * 1000 }
  keep(true)
}

/** Forgets the session on this device, and says so to whoever asked to be told. */
export function forget(): void {
  access = undefined
  keep(false)
  for (const told of endings) told()
}

/** Calls back whenever a session ends that nobody ended by hand. */
export function onSessionEnd(told: () => void): void {
  endings.add(told)
}

/** A refresh token is good once, and using one twice ends the session: only one tab refreshes at a time. */
async function exclusively<T>(work: () => Promise<T>): Promise<T> {
  return navigator.locks ? navigator.locks.request(KEPT, work) : work()
}

async function refreshOnce(): Promise<boolean> {
  return exclusively(async () => {
    // Asked inside the lock: another tab may have signed out meanwhile.
    if (!mayGoOn()) return false
    // The server takes the same token for a moment longer: an answer that got lost loses no session.
    const answer = await twice(() => fetch('/api/v1/auth/refresh', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }))
    if (answer.ok) {
      adopt((await answer.json()) as Tokens)
      return true
    }
    const problem = ApiProblem.from(answer.status, await answer.json().catch(() => null))
    // A server that is restarting says nothing about the token; only a refusal does.
    if (problem.passing) throw problem
    return false
  })
}

/** Renews the access token; false where the session is over. Throws where the server cannot say. */
export function refresh(): Promise<boolean> {
  refreshing ??= refreshOnce().finally(() => {
    refreshing = undefined
  })
  return refreshing
}

async function currentToken(): Promise<string | undefined> {
  if (access && access.until - MARGIN > Date.now()) return access.token
  if (mayGoOn() && (await refresh())) return access?.token
  return access?.token
}

const withToken = (request: Request, token: string | undefined): Request => {
  const copy = new Request(request)
  if (token) copy.headers.set('authorization', `Bearer ${token}`)
  return copy
}

const told = (error: unknown): unknown => (isAbort(error) ? error : ApiProblem.unreachable(error))

/** Asks a second time where the network changed under way, as it does on a machine where containers come and go. */
async function twice(ask: () => Promise<Response>): Promise<Response> {
  try {
    return await ask().catch((error: unknown) => (isAbort(error) ? Promise.reject(error) : ask()))
  } catch (error) {
    throw told(error)
  }
}

/** Reading is asked for twice, and so is signing in. Of anything else nobody knows whether it was done who has no answer. */
async function send(request: Request): Promise<Response> {
  if (request.method === 'GET' || request.url.endsWith('/api/v1/auth/login')) return twice(() => fetch(request.clone()))
  return fetch(request).catch((error: unknown) => Promise.reject(told(error)))
}

/** `fetch` as whoever is signed in: renews what has expired, asks again once, and ends the session where that fails. */
export async function sessionFetch(input: Request): Promise<Response> {
  // Signing in has no session to renew; a refusal there is an answer.
  if (/^\/api\/v1\/auth\/(?!me$|password$)/.test(new URL(input.url).pathname)) return send(input)
  const again = input.clone()
  const first = await send(withToken(input, await currentToken()))
  if (first.status !== 401) return first
  if (await refresh()) return send(withToken(again, access?.token))
  forget()
  return first
}
