import { describe, expect, it } from 'vitest'
import { beginAnew, hearLine, keptLines, nothingHeard } from './logs'

const at = (nanoseconds: number) => `2026-11-22T10:00:00.${String(nanoseconds).padStart(9, '0')}Z`
const line = (text: string, time: number, service = 'web', number = 1) => ({ service, number, at: at(time), stderr: false, text })

describe('what containers write', () => {
  it('is told once where a stream is taken up again, by each container for itself', () => {
    const heard = nothingHeard()
    const texts = () => heard.lines.map(({ text }) => text)
    hearLine(heard, line('a', 1))
    hearLine(heard, line('same moment', 1))
    hearLine(heard, line('b', 7))
    hearLine(heard, line('other', 9, 'db'))
    beginAnew(heard)
    for (const again of [line('a', 1), line('same moment', 1), line('b', 7), line('c', 8), line('second', 2, 'web', 2), line('other', 9, 'db')]) hearLine(heard, again)
    expect(texts()).toEqual(['a', 'same moment', 'b', 'other', 'c', 'second'])
  })

  it('is bounded, and its lines keep their numbers', () => {
    const heard = nothingHeard()
    for (let count = 1; count <= keptLines * 3; count++) hearLine(heard, line(String(count), count))
    expect(heard.lines.length).toBeLessThanOrEqual(keptLines + 200)
    expect(heard.lines.length).toBeGreaterThanOrEqual(keptLines)
    expect(heard.lines.every(({ text, heard: number }) => text === String(number))).toBe(true)
    expect(heard.lines.at(-1)?.text).toBe(String(keptLines * 3))
  })
})
