import { createI18n } from 'vue-i18n'
import { collect } from './collect'

export type Language = 'en' | 'fr'
export const languages: readonly Language[] = ['en', 'fr']

export const i18n = createI18n({
  legacy: false,
  locale: 'en',
  fallbackWarn: false,
  missingWarn: import.meta.env.DEV,
  messages: {},
})

// One chunk a language; a person downloads the one that they read.
const texts = { en: () => import('./en'), fr: () => import('./fr') }

/** Switches all texts; resolves when they are there. */
export async function speak(language: Language): Promise<void> {
  const { default: files } = await texts[language]()
  i18n.global.setLocaleMessage(language, collect(files))
  i18n.global.locale.value = language
  document.documentElement.lang = language
}

/** The language that a browser prefers, of those that there are. */
export function preferredLanguage(wanted: readonly string[] = navigator.languages): Language {
  const known = wanted.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => languages.includes(tag as Language))
  return (known as Language | undefined) ?? 'en'
}
