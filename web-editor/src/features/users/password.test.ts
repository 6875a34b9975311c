import { expect, it } from 'vitest'
import { firstPassword } from './password'

it('makes passwords that are long, readable and never the same', () => {
  const made = new Set(Array.from({ length: 50 }, () => firstPassword()))
  expect(made.size).toBe(50)
  for (const one of made) expect(one).toMatch(/^[a-zA-Z2-9]{5}(-[a-zA-Z2-9]{5}){3}$/)
})

it('draws again where a number would favour some letters', () => {
  const numbers = [4_294_967_295, 0]
  let at = 0
  const made = firstPassword((into) => {
    into[0] = numbers[Math.min(at++, 1)] as number
    return into
  })
  expect(made).toBe('aaaaa-aaaaa-aaaaa-aaaaa')
  expect(at).toBe(21)
})
