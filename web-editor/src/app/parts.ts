const KEPT = 'windflow.reloaded'
/** Within this time a page that still misses a part says so instead of loading again, in milliseconds. */
const pause = 10_000

/** Whether a part of the application did not come: the network was away for a moment, or the server has a newer version with other parts. */
export const isMissingPart = (error: unknown): boolean =>
  error instanceof Error && /dynamically imported module|importing a module script|unable to preload/i.test(error.message)

/** Loading the page anew mends that; once in a while, so that it does not go round in circles. */
export function mayReload(now = Date.now()): boolean {
  try {
    if (now - Number(sessionStorage.getItem(KEPT)) < pause) return false
    sessionStorage.setItem(KEPT, String(now))
    return true
  } catch {
    return false
  }
}

/** What is around every page of whoever is signed in. */
export const shell = () => import('./AppShell.vue')
