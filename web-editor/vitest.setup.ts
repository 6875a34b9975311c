import { beforeEach } from 'vitest'
import { i18n } from '@/i18n'

// The files of tests share a page, which takes longer to make than most of them do to run: each begins in the same language.
beforeEach(() => {
  i18n.global.locale.value = 'en'
})
