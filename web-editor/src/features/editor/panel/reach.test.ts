import { readFileSync } from 'node:fs'
import { VueQueryPlugin } from '@tanstack/vue-query'
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { computed, nextTick, ref } from 'vue'
import { createI18n } from 'vue-i18n'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { documentKey } from '../document'
import en from '../i18n/en.json'
import { reachIcon } from './reach'
import ReachList from './ReachList.vue'

const asked: string[] = []
const answer = vi.fn()
vi.mock('@/features/workflows/api', () => ({
  sendText: async (_method: string, path: string, text: string) => {
    asked.push(`${path} ${text}`)
    return { json: async () => answer(text) }
  },
}))

afterEach(() => {
  asked.length = 0
  vi.useRealTimers()
})

function list(text: string, problems: unknown[] = []) {
  const document = { text: ref(text), errors: ref(problems) }
  const shown = mount(ReachList, {
    global: {
      plugins: [createI18n({ legacy: false, locale: 'en', messages: { en: { editor: en } } }), VueQueryPlugin, createPinia()],
      provide: { [documentKey as symbol]: { text: computed(() => document.text.value), errors: computed(() => document.errors.value) } },
    },
  })
  return { document, shown }
}

const reached = (kind: string, what: string, ...nodes: string[]) => ({ kind, what: { en: what, fr: `fr ${what}` }, nodes })

describe('what a run may reach', () => {
  it('is told in the words of the server, with what child workflows reach and whom the engine asks', async () => {
    answer.mockReturnValue({
      valid: true,
      problems: [],
      reach: [reached('credential', 'access tokens of the credential crm, which go to crm.example.org', 'go › ask'), reached('token_server', 'https://login.example.org, which the engine asks', 'go › ask')],
    })
    const { shown } = list('one')
    await flushPromises()
    expect(asked).toEqual(['/api/v1/validate one'])
    expect(shown.text()).toContain('access tokens of the credential crm, which go to crm.example.org')
    expect(shown.text()).toContain('https://login.example.org, which the engine asks')
    expect(shown.text()).toContain('from go › ask')
  })

  it('is asked anew once the text has changed, and is not told of a text with errors', async () => {
    vi.useFakeTimers()
    answer.mockImplementation((text: string) => ({ valid: true, problems: [], reach: text === 'two' ? [] : [reached('clock', 'the time of the machine', 'look')] }))
    const { document, shown } = list('two')
    await flushPromises()
    expect(shown.text()).toContain('Nothing outside of itself.')
    document.text.value = 'three'
    await vi.advanceTimersByTimeAsync(600)
    await flushPromises()
    expect(asked.at(-1)).toBe('/api/v1/validate three')
    expect(shown.text()).toContain('the time of the machine')
    document.errors.value = [{}]
    await nextTick()
    expect(shown.text()).toContain('once the problems of the workflow are mended')
    expect(shown.text()).not.toContain('the time of the machine')
  })

  it('has a sign for every kind that the engine knows', () => {
    const engine = readFileSync('../engine/windflow-core/src/workflow/reach.rs', 'utf8')
    const kinds = [...engine.matchAll(/Self::\w+ => "(\w+)"/g)].map(([, kind]) => kind ?? '')
    expect(kinds).toContain('random')
    for (const kind of kinds) expect(reachIcon(kind), kind).not.toBe(reachIcon('unknown'))
  })
})
