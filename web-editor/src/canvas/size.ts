import type { Json } from '@/domain/workflow'
import { bytes } from '@/ui/format'

/** How much came over an edge: items of a list, else roughly the bytes of its JSON, which is all that a glance needs. */
export function sizeOf(value: Json, language: string): { count?: number; bytes?: string } {
  return Array.isArray(value) ? { count: value.length } : { bytes: bytes(weigh(value, 0), language) }
}

function weigh(value: Json, depth: number): number {
  if (typeof value === 'string') return value.length + 2
  if (value === null || typeof value !== 'object') return String(value).length
  if (depth > 20) return 2
  if (Array.isArray(value)) return value.reduce<number>((sum, one) => sum + weigh(one, depth + 1) + 1, 2)
  return Object.entries(value).reduce((sum, [key, one]) => sum + key.length + 4 + weigh(one, depth + 1), 2)
}
