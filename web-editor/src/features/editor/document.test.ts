import { describe, expect, it } from 'vitest'
import { Core, EditRefused } from '@/domain/core'
import { createDocument } from './document'

/** Stands in for the worker's channel only: what the document does with answers, and in which order it asks. */
function scripted() {
  const asked: string[] = []
  const core = new Core(async (request) => {
    const { op, text, edits } = request as { op: string; text: string; edits?: { set: { value: string } }[] }
    asked.push(op)
    await new Promise((done) => setTimeout(done, op === 'edit' ? 5 : 1))
    if (op === 'read') return { problems: [], workflow: text.includes('broken') ? null : { name: text, nodes: [] } }
    const value = edits?.[0]?.set.value ?? ''
    return value === 'refuse' ? { error: { code: 'no', message: 'not that' } } : { text: text + value, changes: [] }
  })
  return { core, asked }
}
const set = (value: string) => [{ set: { path: ['name'], value } }]

describe('the document', () => {
  it('makes edits one after the other, each on the text of the one before', async () => {
    const document = createDocument(scripted().core, 'a', 'tag')
    await Promise.all([document.apply(set('b')), document.apply(set('c')), document.apply(set('d'))])
    expect(document.text.value).toBe('abcd')
    document.undo()
    document.undo()
    await document.quiet()
    expect(document.text.value).toBe('ab')
    expect(document.workflow.value?.name).toBe('ab')
  })

  it('loses nothing that is typed while an edit is being made', async () => {
    const document = createDocument(scripted().core, 'a', 'tag')
    const edit = document.apply(set('b'))
    await new Promise((done) => setTimeout(done, 2))
    document.write('a typed')
    await edit
    expect(document.text.value).toBe('a typedb')
  })

  it('takes back the edit that was still being made', async () => {
    const document = createDocument(scripted().core, 'a', 'tag')
    void document.apply(set('b'))
    await document.undo()
    expect(document.text.value).toBe('a')
    await document.redo()
    expect(document.text.value).toBe('ab')
  })

  it('keeps the last drawing while the text is half written', async () => {
    const document = createDocument(scripted().core, 'a', 'tag')
    await document.read()
    document.write('broken')
    await document.quiet()
    expect(document.drawable.value).toBe(false)
    expect(document.workflow.value?.name).toBe('a')
  })

  it('is as it was after an edit that is refused, and goes on', async () => {
    const document = createDocument(scripted().core, 'a', 'tag')
    await expect(document.apply(set('refuse'))).rejects.toThrow(EditRefused)
    await document.apply(set('b'))
    expect(document.text.value).toBe('ab')
  })

  it('is dirty until it is what the server has', async () => {
    const document = createDocument(scripted().core, 'a', 'tag')
    expect(document.dirty.value).toBe(false)
    await document.apply(set('b'))
    expect(document.dirty.value).toBe(true)
    document.settle('ab', 'tag 2')
    expect(document.dirty.value).toBe(false)
    await document.undo()
    expect(document.dirty.value).toBe(true)
  })
})
