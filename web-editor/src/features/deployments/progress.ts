/** What a deployment says while it is under way: lines of its run's log, which `windflow-targets` writes. */
export interface Said {
  /** When it was heard: nobody has heard what is read later. */
  at?: number
  text: string
  attempt?: number
}

/** What an attempt said, as the journal has it: its last lines, and how many came before them. */
export interface KeptLog {
  lines: { message: string }[]
  left_out?: number
}

export interface Progress {
  lines: Said[]
  /** The last that was said of each container: `web#1`. */
  containers: Map<string, { service: string; number: number; doing: string; detail: string }>
  undoing: boolean
}

export const noProgress = (): Progress => ({ lines: [], containers: new Map(), undoing: false })
const most = 500

/** Takes a line in, in place. */
export function hear(progress: Progress, text: string, at: number, attempt?: number): void {
  progress.lines.push({ at, text, attempt })
  if (progress.lines.length > most) progress.lines.shift()
  if (text.endsWith('; what ran before is brought back')) progress.undoing = true
  const found = /^([A-Za-z0-9._-]+)#(\d+) (\w+)(?:: (.*))?$/s.exec(text)
  if (!found) return
  const [, service = '', number = '1', doing = '', detail = ''] = found
  progress.containers.set(`${service}#${number}`, { service, number: Number(number), doing, detail })
}

/** Takes in, in place, what an attempt has said in all: whoever came late has heard the end of it at most. */
export function read(progress: Progress, attempt: number, log: KeptLog): void {
  const heard = progress.lines.filter((line) => line.attempt === attempt)
  if (heard.length >= log.lines.length + (log.left_out ?? 0)) return
  const missed = log.lines.length - heard.length
  const whole = log.lines.map(({ message }, at): Said => ({ at: heard[at - missed]?.at, text: message, attempt }))
  const others = progress.lines.filter((line) => line.attempt !== attempt)
  progress.lines = [...others, ...whole].slice(-most)
}

const looks: Record<string, string> = { healthy: 'healthy', running: 'running', completed: 'completed', failed: 'failed', removed: 'removed', restored: 'rolled_back', waiting: 'waiting' }

/** The word of `StatusTag` for what is being done with a container. */
export const statusOf = (doing: string): string => looks[doing] ?? 'starting'
