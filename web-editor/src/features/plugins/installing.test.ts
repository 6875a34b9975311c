import { describe, expect, it } from 'vitest'
import { added, called, grows, preview, largest, stops } from './installing'

describe('installing a plugin', () => {
  it('asks for more agreement where it may do more than before, and only there', () => {
    const before = { version: '1.0.0', digest: 'sha256:', stays: false, less: [], gone: [], unfit: [], unfit_more: 0 }
    expect(grows({ before: null })).toBe(false)
    expect(grows({ before: { ...before, more: [] } })).toBe(false)
    expect(grows({ before: { ...before, more: [{ en: 'hear that it should stop' }] } })).toBe(true)
  })

  it('asks for agreement where workflows would stop, known or not', () => {
    const before = { version: '1.0.0', digest: 'sha256:', stays: false, more: [], less: [], gone: [], unfit: [], unfit_more: 0 }
    expect(stops({ before: null })).toBe(false)
    expect(stops({ before })).toBe(false)
    expect(stops({ before: { ...before, unfit: [{ workflow: 'told', problems: [] }] } })).toBe(true)
    expect(stops({ before: { ...before, unfit_more: 1 } })).toBe(true)
  })

  it('calls a plugin by its major version, since several may be there', () => expect(called({ name: 'greet', version: '12.3.4' })).toBe('greet@12'))

  it('takes what is part of the server for no plugin that was installed', () => {
    const plugin = { name: 'greet', version: '1.0.0', digest: 'sha256:', node_types: [], reach: null, installed_at: null }
    expect(added([{ ...plugin, origin: 'built_in' }, { ...plugin, origin: 'upload' }, { ...plugin, origin: 'file' }]).map(({ origin }) => origin)).toEqual(['upload', 'file'])
  })

  it('sends nothing that is larger than any plugin', async () => {
    await expect(preview({ size: largest + 1 } as Blob)).rejects.toMatchObject({ code: 'too_large' })
  })
})
