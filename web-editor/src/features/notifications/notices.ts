import type { Run } from '../runs/api'

/** Something that somebody should know of. */
export type Notice = { kind: 'failure'; run: string; workflow: string; at: number; why: string } | { kind: 'question'; run: string; workflow: string; at: number; node: string; why: string }

/** What a person wants to hear of on this device, and what they have seen. */
export interface Wishes {
  failure: boolean
  question: boolean
  seenAt: number
}

const most = 30

/** The failure that a run tells of, if it tells of one. */
export function failureOf(run: Run): Notice | undefined {
  if (run.status !== 'failed') return undefined
  const { node, failure } = run.error ?? {}
  return { kind: 'failure', run: run.run, workflow: run.workflow, at: run.finished_at ?? run.started_at, why: [node, failure?.message].filter(Boolean).join(': ') }
}

/** The newest first, each run once. */
export function add(known: readonly Notice[], ...more: (Notice | undefined)[]): Notice[] {
  const all = new Map([...known, ...more.filter((one) => one !== undefined)].map((one) => [`${one.kind} ${one.run} ${one.kind === 'question' ? one.node : ''}`, one]))
  return [...all.values()].sort((a, b) => b.at - a.at).slice(0, most)
}

export const wanted = (notices: readonly Notice[], wishes: Wishes): Notice[] => notices.filter(({ kind }) => wishes[kind])

/** Failures that are new, and questions as long as nobody has answered. */
export const unseen = (notices: readonly Notice[], wishes: Wishes): number => wanted(notices, wishes).filter(({ kind, at }) => kind === 'question' || at > wishes.seenAt).length
