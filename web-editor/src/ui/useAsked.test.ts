import { describe, expect, it, vi } from 'vitest'
import { useAsked } from './useAsked'

vi.mock('./notify', () => ({ complain: vi.fn(), told: vi.fn() }))
const { complain, told } = await import('./notify')

describe('asking before something is done', () => {
  it('does it once it is agreed to, and says so', async () => {
    const act = vi.fn(() => Promise.resolve())
    const { one, dialog } = useAsked(act, (name: string) => `${name} is gone`)
    expect(dialog.value.modelValue).toBe(false)
    dialog.value.onConfirm()
    expect(act).not.toHaveBeenCalled()
    one.value = 'a'
    expect(dialog.value.modelValue).toBe(true)
    dialog.value.onConfirm()
    expect(dialog.value.busy).toBe(true)
    await vi.waitFor(() => expect(one.value).toBeUndefined())
    expect(act).toHaveBeenCalledWith('a')
    expect(told).toHaveBeenCalledWith('a is gone')
  })

  it('asks on where it fails, and nothing where somebody thought better of it', async () => {
    const { one, dialog } = useAsked(() => Promise.reject(new Error('no')), (name: string) => name)
    one.value = 'b'
    dialog.value.onConfirm()
    await vi.waitFor(() => expect(complain).toHaveBeenCalled())
    expect(one.value).toBe('b')
    await vi.waitFor(() => expect(dialog.value.busy).toBe(false))
    dialog.value['onUpdate:modelValue']()
    expect(dialog.value.modelValue).toBe(false)
  })
})
