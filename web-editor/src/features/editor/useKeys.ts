import { onKeyStroke } from '@vueuse/core'

/** A command of the editor: what the palette lists, what the help sheet shows, and what keys do. */
export interface Command {
  id: string
  icon: string
  /** As `mod+k`; several ways are separated by a blank. */
  keys?: string
  /** Works while somebody writes in a field, too. */
  everywhere?: boolean
  when?: () => boolean
  run(): unknown
}

const apple = /Mac|iPhone|iPad/.test(navigator.platform)

/** The keys of a combination; the last may be the sign that separates them. */
const keysOf = (combination: string): string[] => {
  const parts = combination.split('+')
  const key = parts.pop() || '+'
  return [...parts.filter(Boolean), key]
}

/** Keys as people read them. */
export const readable = (keys: string): string[] =>
  keysOf(keys.split(' ')[0] ?? '').map((key) =>
    key === 'mod' ? (apple ? '⌘' : 'Ctrl') : key === 'shift' ? '⇧' : key === 'alt' ? (apple ? '⌥' : 'Alt') : key === 'escape' ? 'Esc' : key.length === 1 ? key.toUpperCase() : key.charAt(0).toUpperCase() + key.slice(1),
  )

/** Whether a key press is this combination. A sign like `?` brings its own Shift. */
export function matches(event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>, keys: string): boolean {
  return keys.split(' ').some((combination) => {
    const parts = keysOf(combination)
    const key = parts.pop() ?? ''
    const sign = /^[^a-z0-9]$/.test(key)
    return (
      event.key.toLowerCase() === key &&
      (event.ctrlKey || event.metaKey) === parts.includes('mod') &&
      event.altKey === parts.includes('alt') &&
      (sign || event.shiftKey === parts.includes('shift'))
    )
  })
}

const writes = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
/** A list, a menu or a dialog has keys of its own. */
const elsewhere = (target: EventTarget | null): boolean => target instanceof HTMLElement && target.closest('[role=dialog], [role=menu], [role=listbox], [role=tablist]') !== null
/** Tab adds where somebody draws with the mouse; who came by keys goes on by it, and never gets stuck. */
const drawsByMouse = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest('.canvas') !== null && !target.matches(':focus-visible')
/** These keys are a button's own. Ctrl Enter is not: it runs from wherever somebody is. */
const activates = (event: KeyboardEvent): boolean => /^(tab|enter|\s)$/.test(event.key.toLowerCase()) && !event.ctrlKey && !event.metaKey
const onButton = (target: EventTarget | null): boolean => target instanceof HTMLElement && target.closest('button, a, summary') !== null

export function useKeys(commands: () => readonly Command[]): void {
  onKeyStroke((event) => {
    if (event.defaultPrevented || event.isComposing) return
    for (const command of commands()) {
      if (!command.keys || !matches(event, command.keys)) continue
      if (!command.everywhere && (writes(event.target) || elsewhere(event.target))) continue
      if (activates(event) && onButton(event.target)) continue
      if (event.key === 'Tab' && !drawsByMouse(event.target)) continue
      if (command.when && !command.when()) continue
      event.preventDefault()
      void command.run()
      return
    }
  })
}
