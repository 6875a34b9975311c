import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { movedWords } from './useSpokenFlow'

describe('the words that Vue Flow says by itself', () => {
  const source = readFileSync(join(process.cwd(), 'node_modules/@vue-flow/core/dist/vue-flow-core.mjs'), 'utf8')

  it('are still those that are put into words of the page', () => {
    expect(source).toContain('const ARIA_NODE_DESC_KEY = "vue-flow__node-desc"')
    expect(source).toContain('const ARIA_EDGE_DESC_KEY = "vue-flow__edge-desc"')
    const said = [...source.matchAll(/ariaLiveMessage\.value = `([^`]*)`/g)].map(([, text]) => text as string)
    expect(said.length).toBe(1)
    const filled = said[0]?.replace(/\$\{event[^}]*\}/, 'left').replaceAll(/\$\{~~[^}]*\}/g, '-8')
    expect(movedWords.exec(filled ?? '')?.slice(1)).toEqual(['left', '-8', '-8'])
  })
})
