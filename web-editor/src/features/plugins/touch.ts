import type { JsonObject } from '@/domain/workflow'

/** What a node type may touch, as sentences: keys of texts with what goes into their holes. */
export interface Touch {
  key: string
  icon: string
  holes?: Record<string, string>
}

const icons: Record<string, string> = {
  http: 'i-lucide-globe',
  credentials: 'i-lucide-key-round',
  docker: 'i-lucide-container',
  email: 'i-lucide-mail',
  state: 'i-lucide-database',
  files: 'i-lucide-folder',
  hands_files: 'i-lucide-folder-output',
  events: 'i-lucide-megaphone',
  clock: 'i-lucide-clock',
  random: 'i-lucide-dices',
  run_context: 'i-lucide-fingerprint',
  cancellation: 'i-lucide-octagon-pause',
}

const given = (asked: unknown): boolean => (Array.isArray(asked) ? asked.length > 0 : asked !== null && asked !== undefined && asked !== false)

/** The engine's own types have no sandbox, since they compute nothing: they wait, or start a run. */
const isEngine = (plugin: unknown): boolean => typeof plugin === 'object' && plugin !== null && (plugin as { name?: string }).name === 'windflow'

export function touches(type: { uses: string; pure: boolean; capabilities: unknown; plugin: unknown }): Touch[] {
  if (isEngine(type.plugin))
    return [type.uses.startsWith('workflow@') ? { key: 'plugins.touch.starts', icon: 'i-lucide-workflow' } : { key: 'plugins.touch.waits', icon: 'i-lucide-hourglass' }]
  const asked = Object.entries((type.capabilities ?? {}) as JsonObject).filter(([, value]) => given(value))
  if (type.pure || !asked.length) return [{ key: 'plugins.touch.pure', icon: 'i-lucide-shield-check' }]
  return asked.map(([name, value]): Touch => {
    const icon = icons[name] ?? 'i-lucide-plug'
    if (name === 'http' && Array.isArray(value) && !value.some((pattern) => String(pattern).startsWith('*:')))
      return { key: 'plugins.touch.httpTo', icon, holes: { hosts: value.map((host) => String(host).replace(/^https:\/\//, '')).join(', ') } }
    return name in icons ? { key: `plugins.touch.${name}`, icon } : { key: 'plugins.touch.other', icon, holes: { name } }
  })
}

/** What is granted with a plugin, in a word or two for each: keys of texts. Nothing for one that is pure. */
export function granted({ pure, capabilities }: { pure: boolean; capabilities: unknown }): string[] {
  const asked = Object.entries((capabilities ?? {}) as JsonObject).filter(([, value]) => given(value))
  return pure ? [] : asked.map(([name]) => (name in icons ? `plugins.grant.${name}` : 'plugins.grant.other'))
}
