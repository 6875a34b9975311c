import type { Json } from '@/domain/workflow'

/** How much came over an edge: items of a list, else roughly the bytes of its JSON, which is all that a glance needs. */
export function sizeOf(value: Json): { count?: number; bytes?: string } {
  if (Array.isArray(value)) return { count: value.length }
  const bytes = weigh(value, 0)
  if (bytes < 1000) return { bytes: `${bytes} B` }
  if (bytes < 1e6) return { bytes: `${(bytes / 1000).toFixed(1)} kB` }
  return { bytes: `${(bytes / 1e6).toFixed(1)} MB` }
}

function weigh(value: Json, depth: number): number {
  if (typeof value === 'string') return value.length + 2
  if (value === null || typeof value !== 'object') return String(value).length
  if (depth > 20) return 2
  if (Array.isArray(value)) return value.reduce<number>((sum, one) => sum + weigh(one, depth + 1) + 1, 2)
  return Object.entries(value).reduce((sum, [key, one]) => sum + key.length + 4 + weigh(one, depth + 1), 2)
}
