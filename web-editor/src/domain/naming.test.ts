import { expect, it } from 'vitest'
import { emptyWorkflow, freeName, isWorkflowName, workflowName } from './naming'

it('makes names of what people write', () => {
  expect(workflowName('Été: site check (old)!')).toBe('ete-site-check-old')
  expect(workflowName('2 fast')).toBe('fast')
  expect(isWorkflowName(workflowName('x'.repeat(200)))).toBe(true)
})

it('finds a name that is free', () => {
  expect(freeName('a', new Set(['a', 'a-2']))).toBe('a-3')
})

it('quotes what a description holds', () => {
  expect(emptyWorkflow('a', 'with: "quotes"\nand lines')).toContain(String.raw`description: "with: \"quotes\"\nand lines"`)
})
