import { mount } from '@vue/test-utils'
import { computed, nextTick } from 'vue'
import { createI18n } from 'vue-i18n'
import { describe, expect, it } from 'vitest'
import { fieldContextKey } from './field-context'
import FieldEditor from './FieldEditor.vue'

const context = {
  plugins: [createI18n({ legacy: false, locale: 'en', messages: { en: {} }, missingWarn: false, fallbackWarn: false })],
  provide: { [fieldContextKey as symbol]: { scope: computed(() => undefined), readonly: computed(() => false), preview: async () => undefined, settled: async () => undefined } },
}

describe('a field', () => {
  it('says what the variant means that was chosen, and asks no more of one that is a word by itself', async () => {
    const stop = { key: '', label: '', kind: 'choice' as const, required: false, options: [{ value: 'stop' }] }
    const run = { key: '', label: '', kind: 'object' as const, required: false, fields: [{ key: 'run', label: 'Run', kind: 'text' as const, required: true }] }
    const variants = [{ name: 'stop', label: 'Stop', note: 'It ends.', field: stop }, { name: 'run', label: 'Run', note: 'It begins.', field: run }]
    const field = mount(FieldEditor, { props: { field: { key: 'action', label: 'Action', kind: 'variants', required: true, variants }, value: 'stop' }, global: context })
    expect([field.findAll('select').length, field.findAll('input').length, field.text()]).toEqual([1, 0, expect.stringContaining('It ends.')])
    await field.setProps({ value: { run: 'a' } })
    expect([field.findAll('select').length, field.findAll('input').length, field.text()]).toEqual([1, 1, expect.stringContaining('It begins.')])
  })

  it('keeps what is typed while what was typed before is still on its way into the text', async () => {
    const ends: (() => void)[] = []
    const settled = () => new Promise<void>((done) => ends.push(done))
    const field = mount(FieldEditor, {
      props: { field: { key: 'name', label: 'Name', kind: 'text', required: false }, value: '' },
      global: {
        plugins: [createI18n({ legacy: false, locale: 'en', messages: { en: {} }, missingWarn: false, fallbackWarn: false })],
        provide: { [fieldContextKey as symbol]: { scope: computed(() => undefined), readonly: computed(() => false), preview: async () => undefined, settled } },
      },
    })
    const input = field.find('input')
    await input.setValue('A')
    await input.setValue('Ad')
    // The answer to the first letter.
    ends[0]?.()
    await field.setProps({ value: 'A' })
    await nextTick()
    expect(input.element.value).toBe('Ad')
    await input.setValue('Ada')
    ends[1]?.()
    ends[2]?.()
    // What somebody else wrote is shown once nothing is under way.
    await field.setProps({ value: 'Eva' })
    await nextTick()
    expect(input.element.value).toBe('Eva')
    expect(field.emitted('change')).toEqual([['A'], ['Ad'], ['Ada']])
  })
})
