import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'
import type { Schemas } from '@/api/client'
import { sendText } from '@/features/workflows/api'

export type Validation = Schemas['Validation']

const icons: Record<string, string> = {
  http: 'i-lucide-globe',
  token_server: 'i-lucide-ticket',
  docker: 'i-lucide-container',
  email: 'i-lucide-mail',
  event: 'i-lucide-megaphone',
  state: 'i-lucide-database',
  files: 'i-lucide-folder',
  handed_files: 'i-lucide-folder-output',
  clock: 'i-lucide-clock',
  random: 'i-lucide-dices',
  credential: 'i-lucide-key-round',
  run_context: 'i-lucide-fingerprint',
}

/** What is not known yet is shown like everything else. */
export const reachIcon = (kind: string): string => icons[kind] ?? 'i-lucide-plug'

/** What the server finds of a text that nobody has kept yet: child workflows are those that it keeps. */
export const validate = async (text: string): Promise<Validation> => (await (await sendText('POST', '/api/v1/validate', text)).json()) as Validation

/** Asked anew when the text has changed; the last answer stays meanwhile. */
export const useReach = (text: Ref<string>, asks: Ref<boolean>) =>
  useQuery({ queryKey: computed(() => ['reach', text.value]), queryFn: () => validate(text.value), enabled: asks, placeholderData: keepPreviousData, gcTime: 60_000 })
