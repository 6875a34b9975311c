import { describe, expect, it } from 'vitest'
import { isMissingPart, mayReload } from './parts'

describe('a part of the application that does not come', () => {
  it.each(['Failed to fetch dynamically imported module: http://x/a.js', 'Importing a module script failed.', 'error loading dynamically imported module', 'Unable to preload CSS for /a.css'])('is known: %s', (text) =>
    expect(isMissingPart(new TypeError(text))).toBe(true),
  )
  it('is no other error', () => expect([new Error('x is not a function'), undefined].map(isMissingPart)).toEqual([false, false]))
  it('makes the page load anew, and not in circles', () => {
    sessionStorage.clear()
    expect([mayReload(100_000), mayReload(105_000), mayReload(111_000)]).toEqual([true, false, true])
  })
})
