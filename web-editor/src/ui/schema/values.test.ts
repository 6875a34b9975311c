import { describe, expect, it } from 'vitest'
import { fieldsOf } from '@/domain/schema-form'
import { filled, initial, problemsOf } from './values'

const fields = fieldsOf({
  type: 'object',
  required: ['window', 'replicas'],
  properties: {
    window: { type: 'string', enum: ['now', 'tonight'] },
    replicas: { type: 'integer', minimum: 1, maximum: 20 },
    notify: { type: 'boolean', default: true },
    where: { type: 'object', required: ['zone'], properties: { zone: { type: 'string' } } },
    extra: {},
  },
})

describe('answers to a form', () => {
  it('begin with the defaults', () => {
    expect(initial(fields)).toEqual({ notify: true, where: {} })
  })

  it('say what is missing and what is out of bounds', () => {
    expect([...problemsOf(fields, { replicas: 40 })].map(([path, { key }]) => [path, key])).toEqual([
      ['window', 'schema.required'],
      ['replicas', 'schema.most'],
      ['where.zone', 'schema.required'],
    ])
    expect(problemsOf(fields, { window: 'now', replicas: 2.5, where: { zone: 'b' } }).get('replicas')?.key).toBe('schema.integer')
    expect(problemsOf(fields, { window: 'now', replicas: 2, where: { zone: 'b' } }).size).toBe(0)
  })

  it('leave out what was left empty, and read what may be anything as JSON', () => {
    expect(filled(fields, { window: 'now', replicas: 2, where: {}, extra: '[1, "<b>"]' })).toEqual({ window: 'now', replicas: 2, extra: [1, '<b>'] })
    expect(filled(fields, { extra: 'just words' })).toEqual({ extra: 'just words' })
  })
})
