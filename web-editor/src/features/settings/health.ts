/** How the server answers one of its own questions. */
export type Health = 'well' | 'unwell' | 'away'

const patience = 5000

export interface Told {
  health: Health
  /** What it says where it is not well. */
  why?: string
  /** How long the answer took, in milliseconds. */
  took: number
}

/** Asks `/healthz`, `/startupz` or `/readyz`. They need no sign-in. */
export async function ask(path: string, now: () => number = () => performance.now()): Promise<Told> {
  const start = now()
  try {
    const answer = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(patience) })
    const took = now() - start
    if (answer.ok) return { health: 'well', took }
    return { health: 'unwell', why: (await answer.text()).slice(0, 300), took }
  } catch {
    return { health: 'away', took: now() - start }
  }
}
