import { inject, ref, type InjectionKey } from 'vue'
import type { Json } from '@/domain/workflow'

/** What a node is taken to have put out, without running it: for trying things, never for real starts. */
export interface Pin {
  port: string
  output: Json
}
export type Pins = Readonly<Record<string, Pin>>

/** A browser keeps a few megabytes in all; what is larger than this is no example. */
const largest = 500_000

function isPins(value: unknown): value is Pins {
  return typeof value === 'object' && value !== null && Object.values(value).every((one: unknown) => typeof one === 'object' && one !== null && 'output' in one && 'port' in one && typeof one.port === 'string')
}

/** The pins of a workflow, kept by this browser. */
export function createPins(organisation: string, workflow: string) {
  const key = `windflow.pins.${organisation}.${workflow}`
  const pins = ref<Pins>(read())

  function read(): Pins {
    try {
      const kept: unknown = JSON.parse(localStorage.getItem(key) ?? '{}')
      return isPins(kept) ? kept : {}
    } catch {
      return {}
    }
  }
  /** False where it is too large to be kept. */
  function keep(next: Pins): boolean {
    const text = JSON.stringify(next)
    if (text.length > largest) return false
    try {
      if (Object.keys(next).length) localStorage.setItem(key, text)
      else localStorage.removeItem(key)
    } catch {
      return false
    }
    pins.value = next
    return true
  }
  const without = (node: string) => Object.fromEntries(Object.entries(pins.value).filter(([id]) => id !== node))

  return {
    all: pins,
    pin: (node: string, pin: Pin) => keep({ ...pins.value, [node]: pin }),
    unpin: (node: string) => keep(without(node)),
    rename(node: string, to: string) {
      const pin = pins.value[node]
      if (pin) keep({ ...without(node), [to]: pin })
    },
    /** Those of nodes that there are. */
    of: (nodes: readonly { id: string }[]): Record<string, Pin> => Object.fromEntries(nodes.flatMap(({ id }) => (pins.value[id] ? [[id, pins.value[id]]] : []))),
  }
}

export type EditorPins = ReturnType<typeof createPins>

export const pinsKey: InjectionKey<EditorPins> = Symbol('pins')
export function usePins(): EditorPins {
  const found = inject(pinsKey)
  if (!found) throw new Error('usePins belongs below an editor page')
  return found
}
