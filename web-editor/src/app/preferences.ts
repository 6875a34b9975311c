import { usePreferredDark, useStorage } from '@vueuse/core'
import { defineStore } from 'pinia'
import { computed, watch } from 'vue'
import { preferredLanguage, speak, type Language } from '@/i18n'

export type Theme = 'light' | 'dark' | 'system'

interface Preferences {
  theme: Theme
  language: Language | null
  narrow: boolean
}

/** What a person chose for this device. `public/theme.js` reads the same before the first paint. */
export const usePreferences = defineStore('preferences', () => {
  const kept = useStorage<Preferences>(
    'windflow.preferences',
    { theme: 'system', language: null, narrow: false },
    undefined,
    { mergeDefaults: true },
  )
  const systemDark = usePreferredDark()
  const dark = computed(() => (kept.value.theme === 'system' ? systemDark.value : kept.value.theme === 'dark'))
  const language = computed(() => kept.value.language ?? preferredLanguage())

  watch(dark, (is) => document.documentElement.classList.toggle('dark', is), { immediate: true })

  return {
    dark,
    language,
    theme: computed(() => kept.value.theme),
    narrow: computed(() => kept.value.narrow),
    setTheme: (theme: Theme) => (kept.value.theme = theme),
    toggleNarrow: () => (kept.value.narrow = !kept.value.narrow),
    async setLanguage(wanted: Language) {
      await speak(wanted)
      kept.value.language = wanted
    },
  }
})
