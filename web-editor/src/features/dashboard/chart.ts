/** What a stretch of time is drawn from. */
export interface Stretch {
  since: number
  succeeded: number
  failed: number
  cancelled: number
  running: number
}

/** From the ground up: failures stand on it, so that their heights can be compared. */
export const outcomes = ['failed', 'cancelled', 'succeeded', 'running'] as const
export type Outcome = (typeof outcomes)[number]

export interface Block {
  outcome: Outcome
  x: number
  y: number
  width: number
  height: number
}

export interface Column {
  stretch: Stretch
  x: number
  width: number
  blocks: Block[]
}

export interface Chart {
  columns: Column[]
  /** Lines at round numbers, with their heights. */
  marks: { value: number; y: number }[]
}

export const totalOf = (stretch: Stretch): number => outcomes.reduce((sum, outcome) => sum + stretch[outcome], 0)

/** The least of 1, 2, 5, 10, 20, 50, … that is not below a number. */
export function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)))
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power
}

/** What is there is seen: a single failure among thousands is still two pixels high. */
const least = 2

/** Stacked columns in a room of so many pixels. */
export function draw(stretches: readonly Stretch[], width: number, height: number): Chart {
  const top = roundUp(Math.max(1, ...stretches.map(totalOf)))
  const step = width / Math.max(1, stretches.length)
  const gap = step > 8 ? 3 : step > 4 ? 1 : 0
  const columns = stretches.map((stretch, at): Column => {
    const x = at * step + gap / 2
    let y = height
    const blocks = outcomes.flatMap((outcome): Block[] => {
      const count = stretch[outcome]
      if (!count) return []
      const tall = Math.max(least, (count / top) * height)
      y = Math.max(0, y - tall)
      return [{ outcome, x, y, width: step - gap, height: tall }]
    })
    return { stretch, x: at * step, width: step, blocks }
  })
  const halves = top === 1 ? [0, 1] : [0, top / 2, top]
  return { columns, marks: halves.map((value) => ({ value, y: height - (value / top) * height })) }
}

/** How many of those that ended did so well, from 0 to 1; none where nothing ended. */
export function successRate(total: Omit<Stretch, 'since'>): number | undefined {
  const ended = total.succeeded + total.failed
  return ended ? total.succeeded / ended : undefined
}

export const spans = {
  day: { length: 864e5, step: 36e5 },
  week: { length: 7 * 864e5, step: 6 * 36e5 },
  month: { length: 30 * 864e5, step: 864e5 },
} as const
export type Span = keyof typeof spans

/** Since when to ask, so that the last stretch ends at the next whole step. */
export function windowOf(span: Span, now: number): { since: number; until: number; step: number } {
  const { length, step } = spans[span]
  const until = Math.ceil((now + 1) / step) * step
  return { since: until - length, until, step }
}
