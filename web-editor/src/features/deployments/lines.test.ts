import { describe, expect, it } from 'vitest'
import { i18n, speak } from '@/i18n'
import { inWords } from './lines'

const both = async (line: string) => {
  const said: string[] = []
  for (const language of ['en', 'fr'] as const) {
    await speak(language)
    said.push(inWords(line, i18n.global.t))
  }
  return said
}

describe('what a deployment says', () => {
  it.each([
    ['fetching quay.io/minio/minio:1', 'Fetching quay.io/minio/minio:1', 'Téléchargement de quay.io/minio/minio:1'],
    ['plan: 2 created, 1 changed', 'Plan: 2 to create, 1 to replace', 'Plan\u00a0: 2 à créer, 1 à remplacer'],
    ['network shop_default created', 'Network shop_default: created', 'Réseau shop_default\u00a0: créé'],
    ['volume shop_data removed', 'Volume shop_data: removed', 'Volume shop_data\u00a0: retiré'],
    ['web#1 healthy', 'web#1: healthy', 'web#1\u00a0: sain'],
    ['db#2 waiting: its health check', 'db#2: waiting for its health check', 'db#2\u00a0: attend son contrôle de santé'],
    ['web#1 failed: exit status 1: <b>no</b>', 'web#1: failed (exit status 1: <b>no</b>)', 'web#1\u00a0: échoué (exit status 1: <b>no</b>)'],
    ['web is unhealthy; what ran before is brought back', 'web is unhealthy; what ran before is brought back', 'web is unhealthy\u202f; ce qui tournait avant est rétabli'],
    ['something else', 'something else', 'something else'],
    ['web#1 dances', 'web#1 dances', 'web#1 dances'],
  ])('%s', async (line, english, french) => expect(await both(line)).toEqual([english, french]))
})
