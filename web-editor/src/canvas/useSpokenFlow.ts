import type { VueFlowStore } from '@vue-flow/core'
import { onMounted, watch } from 'vue'
import { useI18n } from 'vue-i18n'

/** What Vue Flow says once chosen nodes were moved by an arrow key. */
export const movedWords = /^Moved selected node (up|down|left|right)\. New position, x: (-?\d+), y: (-?\d+)$/

/** Vue Flow says some things to those who hear the drawing, in English alone, and takes no other words for them: they are put in their place, in the language of the page. */
export function useSpokenFlow(flow: Pick<VueFlowStore, 'id' | 'ariaLiveMessage'>): void {
  const { t, locale } = useI18n()
  const describe = () => {
    for (const part of ['node', 'edge'] as const) {
      const told = document.getElementById(`vue-flow__${part}-desc-${flow.id}`)
      if (told) told.textContent = t(`editor.spoken.${part}`)
    }
  }
  onMounted(describe)
  watch(locale, describe)
  watch(flow.ariaLiveMessage, (message) => {
    const [, way, x, y] = movedWords.exec(message) ?? []
    if (way) flow.ariaLiveMessage.value = t(`editor.spoken.moved.${way}`, { x: x ?? '', y: y ?? '' })
  })
}
