/** What a text may be. */
export const kinds = ['compose', 'portainer', 'caprover'] as const
export type Kind = (typeof kinds)[number]

/** What a text looks like; none where nothing is seen of it yet. The server judges. */
export function guess(text: string): Kind | undefined {
  if (/^\s*["']?captainVersion["']?\s*:/m.test(text) || /"captainVersion"\s*:/.test(text)) return 'caprover'
  if (/^\s*[[{]/.test(text)) return /"(templates|repository|image)"\s*:/.test(text) ? 'portainer' : undefined
  if (/^services\s*:/m.test(text)) return 'compose'
  return undefined
}

/** A name that a stack may have, as near as can be to a title. */
export function stackName(title: string): string {
  const plain = title.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replace(/[^a-z0-9_]+/g, '-').replace(/^[-_]+|[-_]+$/g, '')
  return plain.slice(0, 50).replace(/[-_]+$/, '') || 'stack'
}
