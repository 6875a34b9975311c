import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import en from './i18n/en.json'
import fr from './i18n/fr.json'

const document = JSON.parse(readFileSync(join(process.cwd(), '../engine/windflow-server/openapi.json'), 'utf8')) as { components: { schemas: { Permission: { enum: string[] } } } }
const permissions = document.components.schemas.Permission.enum

describe('what an API key may do', () => {
  it.each([['English', en], ['French', fr]])('is told of each permission in %s', (_, texts) => {
    expect(permissions.length).toBeGreaterThan(15)
    expect(Object.keys(texts.scope).sort()).toEqual(permissions.map((one) => one.replace(':', '_')).sort())
  })
})
