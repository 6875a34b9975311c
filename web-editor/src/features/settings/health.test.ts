import { afterEach, expect, it, vi } from 'vitest'
import { ask } from './health'

afterEach(() => vi.unstubAllGlobals())
const answers = (answer: Response | Error) =>
  vi.stubGlobal('fetch', () => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)))

it('tells well, unwell and away apart', async () => {
  answers(new Response('ok'))
  expect((await ask('/readyz')).health).toBe('well')
  answers(new Response('the disk is full', { status: 503 }))
  expect(await ask('/readyz')).toMatchObject({ health: 'unwell', why: 'the disk is full' })
  answers(new TypeError('failed to fetch'))
  expect((await ask('/readyz')).health).toBe('away')
})
