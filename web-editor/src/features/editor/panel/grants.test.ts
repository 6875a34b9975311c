import { describe, expect, it } from 'vitest'
import type { NodeType } from '@/domain/node-types'
import type { NodeView, WorkflowView } from '@/domain/workflow'
import { readFileSync } from 'node:fs'
import en from '../i18n/en.json'
import fr from '../i18n/fr.json'
import { grantedLists, grantedSwitches, missingHost, withHost } from './grants'

const http = { capabilities: { http: ['*:*'] } } as unknown as NodeType
const missing = (url: string, granted: string[] = []) =>
  missingHost({ permissions: { http: granted } } as unknown as WorkflowView, { with: { url } } as unknown as NodeView, http)

describe('what a node would still have to be granted', () => {
  it.each([
    ['https://api.example.org/x', [], 'api.example.org'],
    ['https://api.example.org/x', ['api.example.org'], undefined],
    ['https://api.example.org/x', ['*.example.org'], undefined],
    ['https://api.example.org:8443/x', ['api.example.org'], 'https://api.example.org:8443'],
    ['http://127.0.0.1:9000/x', ['127.0.0.1:*'], undefined],
    ['${{ inputs.url }}/x', [], '${{ inputs.url }}'],
    ['${{inputs.url}}', ['${{ inputs.url }}'], undefined],
    ['${{ nodes.a.output }}', [], undefined],
    ['half', [], undefined],
  ])('for %s with %j', (url, granted, host) => expect(missing(url, granted)).toBe(host))

  it('is nothing for a node that asks for no network', () => {
    expect(missingHost({ permissions: {} } as WorkflowView, { with: { url: 'https://a.b' } } as unknown as NodeView, { capabilities: {} } as NodeType)).toBeUndefined()
  })

  it('can be set for all that a workflow grants, with words in both languages', () => {
    const keys = [...grantedLists, ...grantedSwitches]
    const engine = readFileSync('../engine/windflow-core/src/workflow/parse.rs', 'utf8')
    const known = /const KEYS: \[&str; \d+\] = \[("http"[^\]]*)\]/.exec(engine)?.[1]?.match(/\w+/g) ?? []
    expect(known).not.toEqual([])
    expect(keys.toSorted()).toEqual(known.toSorted())
    for (const { workflow } of [en, fr]) expect(Object.keys(workflow.grants).toSorted()).toEqual(keys.flatMap((key) => [key, `${key}Note`]).toSorted())
  })

  it('is added to what there is', () => {
    expect(withHost({ permissions: { http: ['a'] } } as unknown as WorkflowView, 'b')).toEqual(['a', 'b'])
  })
})
