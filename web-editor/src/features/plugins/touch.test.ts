import { describe, expect, it } from 'vitest'
import en from './i18n/en.json'
import fr from './i18n/fr.json'
import { granted, touches } from './touch'

const type = (capabilities: object, pure = false, plugin = 'x', uses = 'x@1') => ({ uses, pure, capabilities, plugin: { name: plugin } })
const keys = (...given: Parameters<typeof type>) => touches(type(...given)).map(({ key }) => key)

describe('what a node type may touch', () => {
  it('is nothing where it is pure', () => expect(keys({}, true)).toEqual(['plugins.touch.pure']))

  it('names the hosts that it is limited to', () => {
    expect(touches(type({ http: ['https://discord.com'], credentials: true }))).toMatchObject([
      { key: 'plugins.touch.httpTo', holes: { hosts: 'discord.com' } },
      { key: 'plugins.touch.credentials' },
    ])
    expect(keys({ http: ['*:*'], run_context: true })).toEqual(['plugins.touch.http', 'plugins.touch.run_context'])
  })

  it('is not counted where it asks for nothing of it', () => expect(keys({ http: [], credentials: false })).toEqual(['plugins.touch.pure']))

  it('does not hide what it does not know', () => expect(touches(type({ printer: true }))).toMatchObject([{ key: 'plugins.touch.other', holes: { name: 'printer' } }]))

  it('tells what waits from what starts runs', () => {
    expect(keys({}, false, 'windflow', 'wait@1')).toEqual(['plugins.touch.waits'])
    expect(keys({}, false, 'windflow', 'workflow@1')).toEqual(['plugins.touch.starts'])
  })

  it('is told in a word or two by whoever grants it', () => {
    expect(granted({ pure: true, capabilities: { http: ['*:*'] } })).toEqual([])
    expect(granted({ pure: false, capabilities: { http: ['https://example.org'], credentials: true, email: false, printer: true } })).toEqual(['plugins.grant.http', 'plugins.grant.credentials', 'plugins.grant.other'])
    for (const language of [en, fr]) expect(Object.keys(language.grant)).toEqual([...Object.keys(language.touch).filter((key) => !['pure', 'waits', 'starts', 'httpTo', 'other'].includes(key)), 'other'])
  })

  it('has words for all of it', () => {
    for (const key of ['pure', 'waits', 'starts', 'other', 'httpTo', 'http', 'credentials', 'docker', 'email', 'state', 'files', 'hands_files', 'events', 'clock', 'random', 'run_context', 'cancellation'])
      expect(en.touch).toHaveProperty(key)
  })
})
