import { otherNames } from './other-names'
import type { Schemas } from '@/api/client'
import type { Json, JsonObject, NodeView } from './workflow'

/** A text in the languages that the interface speaks. */
export interface Localized {
  en?: string
  fr?: string
}

export interface PortType {
  name: string
  title?: Localized
  description?: Localized
}

/** What people read of a field of the configuration. */
export interface FieldText {
  title?: Localized
  description?: Localized
  /** What it can be: by value, by the key of a map that is one of several, or else by the type. */
  values?: Readonly<Record<string, Localized>>
  /** How what it can be is called, by the same names. */
  names?: Readonly<Record<string, Localized>>
  /** The fields within it, wherever: in a map, in one of several, or in each entry of a list. */
  fields?: Readonly<Record<string, FieldText>>
}

/** A node type as the server lists it, with the parts that its OpenAPI document leaves open. */
export interface NodeType extends Omit<Schemas['NodeTypeView'], 'type' | 'config' | 'output' | 'reach'> {
  type: {
    title: Localized
    description: Localized
    category: string
    icon?: string
    ports?: PortType[]
    /** The field of the configuration whose keys are further ports. */
    ports_from?: string
    /** By the name of the field; English of what is not here is in the schema. */
    fields?: Readonly<Record<string, FieldText>>
  }
  config: JsonObject
  output?: JsonObject
  /** What it may touch, in one sentence. */
  reach?: Localized
}

export type NodeTypes = ReadonlyMap<string, NodeType>

/** Where a node's failure goes on, beside its own ports. */
export const errorPort = 'error'
/** The port of node types that name none. */
export const defaultPort = 'out'

/** In the language, else in English. */
export const localized = (text: Localized | undefined, language: string): string =>
  text?.[language as keyof Localized] ?? text?.en ?? ''

const isObject = (value: Json | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The ports that a node may emit on, without `error`. As in `windflow-core/src/plan/build.rs`: the type's, then those its configuration names. */
export function portsOf(type: NodeType | undefined, config: Json): string[] {
  const own = type?.type.ports?.map((port) => port.name) ?? []
  const field = type?.type.ports_from
  const named = field && isObject(config) ? config[field] : undefined
  const ports = [...(isObject(named) ? Object.keys(named) : []), ...own]
  return ports.length ? ports : [defaultPort]
}

/** Groups in the order in which people look for them; what is not named here comes after, by name. */
const order = ['network', 'ai', 'data', 'logic', 'deploy', 'notify', 'other']
export function categories(types: Iterable<NodeType>): [category: string, types: NodeType[]][] {
  const groups = new Map<string, NodeType[]>()
  for (const type of types) groups.set(type.type.category, [...(groups.get(type.type.category) ?? []), type])
  const rank = (category: string) => (order.includes(category) ? order.indexOf(category) : order.length - 1.5)
  return [...groups].sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b))
}

/** The names of categories that have a colour of their own. */
const coloured = new Set(order)
export const kindColour = (category: string | undefined): string =>
  `var(--kind-${category && coloured.has(category) ? category : 'other'})`

const shorten = (text: string, length = 40) => (text.length > length ? `${text.slice(0, length - 1)}…` : text)

/** What a node does, in a few characters from its configuration: the line below its name. */
export function summary(node: Pick<NodeView, 'with'>, type: NodeType | undefined): string {
  if (!isObject(node.with)) return ''
  const config = node.with
  const required = Array.isArray(type?.config.required) ? type.config.required.map(String) : []
  const properties = isObject(type?.config.properties) ? Object.keys(type.config.properties) : []
  const text = (key: string): string => {
    const value = config[key]
    return typeof value === 'string' ? value.trim().split('\n', 1)[0] ?? '' : typeof value === 'number' ? String(value) : ''
  }
  const key = [...required, ...properties, ...Object.keys(config)].find((name) => /[\p{L}\p{N}]/u.test(text(name)))
  if (!key) return ''
  const method = key === 'url' && typeof config.method === 'string' ? `${config.method} ` : ''
  return shorten(method + text(key).replaceAll(/\$\{\{\s*(.*?)\s*\}\}/g, '$1'))
}

/** Types that fit a search, best first. Every word has to occur; in the title it counts most, and what others call it counts as its own name. */
export function searchTypes(types: readonly NodeType[], query: string, language: string): NodeType[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  if (!words.length) return [...types]
  const score = (type: NodeType): number => {
    const title = localized(type.type.title, language).toLowerCase()
    const places = [title, type.uses, localized(type.type.title, 'en').toLowerCase(), type.type.category, localized(type.type.description, language).toLowerCase()]
    const others = otherNames(type.uses).split(' ')
    let sum = 0
    for (const word of words) {
      const place = places.findIndex((text) => text.includes(word))
      const called = others.some((name) => name.startsWith(word))
      if (place < 0 && !called) return -1
      sum += title.startsWith(word) || others.includes(word) ? 20 : place < 0 ? 7 : 10 - place
    }
    return sum
  }
  return types
    .map((type) => [score(type), type] as const)
    .filter(([points]) => points >= 0)
    .sort(([a], [b]) => b - a)
    .map(([, type]) => type)
}
