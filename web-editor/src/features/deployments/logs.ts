import type { LogLine } from './api'

/** Beyond this many lines the first are dropped: a container may write millions. */
export const keptLines = 2000

/** A line with a number of its own, by which it stays the same one on the screen. */
export interface HeardLine extends LogLine {
  heard: number
}

/** What was heard of the containers of a stack. */
export interface Heard {
  lines: HeardLine[]
  /** How many there were in all; the first of them may be dropped. */
  count: number
  /** Of each container the time of its last line. */
  last: Map<string, string>
  /** The same when the stream began: what it tells again up to there is known. */
  known: Map<string, string>
}

export const nothingHeard = (): Heard => ({ lines: [], count: 0, last: new Map(), known: new Map() })

/** A stream begins anew, with lines of which some are known. */
export function beginAnew(heard: Heard): void {
  heard.known = new Map(heard.last)
}

/** Takes a line in, in place. */
export function hearLine(heard: Heard, line: LogLine): void {
  const container = `${line.service}#${line.number}`
  // An engine's times all have the same form, down to the nanosecond, so that they are in order as texts.
  if (line.at <= (heard.known.get(container) ?? '')) return
  heard.last.set(container, line.at)
  heard.count += 1
  heard.lines.push({ ...line, heard: heard.count })
  // In larger steps than one: each moves all of them.
  if (heard.lines.length > keptLines + 200) heard.lines.splice(0, heard.lines.length - keptLines)
}
