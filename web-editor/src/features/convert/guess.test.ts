import { describe, expect, it } from 'vitest'
import { isStackName } from '../stacks/starter'
import { guess, stackName } from './guess'

describe('guess', () => {
  it.each([
    ['name: a\nservices:\n  web: {}', 'compose'],
    ['{ "version": "2", "templates": [] }', 'portainer'],
    ['[{ "type": 1, "image": "nginx" }]', 'portainer'],
    ['captainVersion: 4\nservices:\n  $$cap_appname: {}', 'caprover'],
    ['{ "captainVersion": 4, "services": {} }', 'caprover'],
    ['hello', undefined],
    ['', undefined],
  ])('%j is %s', (text, kind) => expect(guess(text)).toBe(kind))
})

describe('stackName', () => {
  it.each([['Café & Thé', 'cafe-the'], ['  ---', 'stack'], ['A'.repeat(90), 'a'.repeat(50)], ['日本', 'stack']])('%j becomes %s', (title, name) => {
    expect(stackName(title)).toBe(name)
    expect(isStackName(name)).toBe(true)
  })
})
