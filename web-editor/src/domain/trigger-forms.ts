import { fieldsOf, type Field } from './schema-form'
import type { JsonObject } from './workflow'

/** What triggers are configured with; docs/server.md says what each means. */
const schemas: Record<string, JsonObject> = {
  cron: {
    type: 'object',
    required: ['schedule'],
    properties: {
      schedule: { type: 'string' },
      timezone: { type: 'string', default: 'UTC' },
      overlap: { enum: ['skip', 'queue', 'allow'], default: 'skip' },
      catch_up: { enum: ['none', 'latest', 'all'], default: 'none' },
      jitter: { type: 'string' },
    },
  },
  webhook: {
    type: 'object',
    required: ['path', 'auth'],
    properties: {
      path: { type: 'string' },
      method: { enum: ['POST', 'GET', 'PUT', 'PATCH', 'DELETE'], default: 'POST' },
      auth: {
        oneOf: [
          { title: 'none', const: 'none', type: 'string' },
          { title: 'bearer', type: 'object', required: ['bearer'], properties: { bearer: { type: 'string' } } },
          { title: 'basic', type: 'object', required: ['basic'], properties: { basic: { type: 'string' } } },
          {
            title: 'header',
            type: 'object',
            required: ['header'],
            properties: { header: { type: 'object', required: ['name', 'secret'], properties: { name: { type: 'string' }, secret: { type: 'string' } } } },
          },
          {
            title: 'hmac',
            type: 'object',
            required: ['hmac'],
            properties: { hmac: { type: 'object', required: ['secret'], properties: { secret: { type: 'string' }, header: { type: 'string' }, prefix: { type: 'string' }, encoding: { enum: ['hex', 'base64'], default: 'hex' } } } },
          },
        ],
      },
      reply: { enum: ['accepted', 'result'], default: 'accepted' },
    },
  },
  event: {
    type: 'object',
    required: ['name'],
    properties: { name: { type: 'string' }, filter: { type: 'string' } },
  },
}

export const triggerKinds = Object.keys(schemas)

/** The fields of a trigger of this kind; none for kinds that have no form. */
export const triggerFields = (uses: string): Field[] => (schemas[uses] ? fieldsOf(schemas[uses]) : [])

/** What a new trigger begins with: one that works as it is. */
export const newTrigger = (uses: string, workflow: string): JsonObject => {
  const begins: Record<string, JsonObject> = { cron: { schedule: '*/15 * * * *', timezone: 'UTC' }, event: { name: 'run.failed' } }
  return { uses, with: begins[uses] ?? { path: workflow, auth: 'none' } }
}
