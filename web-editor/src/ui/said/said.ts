import { shallowRef, watch } from 'vue'
import { i18n } from '@/i18n'

interface Words {
  /** By code. Nodes fail with codes of their own, which mean what they mean there: only those of the engine are known. */
  texts: Readonly<Record<'problems' | 'failures', Readonly<Record<string, string>>>>
  remedies: readonly (readonly [begins: RegExp, says: string])[]
}

/** French for what the server and the core say. English is their own. */
const french = shallowRef<Words>()

/** Gets the words of a language; before they are there, and for what they do not know, the server's own stand. */
export async function learn(language: string): Promise<void> {
  if (language !== 'fr' || french.value) return
  const [{ default: texts }, { french: remedies }] = await Promise.all([import('./fr.json'), import('./remedies')])
  french.value = { texts, remedies }
}
watch(i18n.global.locale, (language) => void learn(language).catch(() => undefined), { immediate: true })

const words = (): Words | undefined => (i18n.global.locale.value === 'fr' ? french.value : undefined)

/** A text with what the server's sentence names: `{0}` is its first name in backticks, `{said}` the sentence. */
export function fill(text: string, sentence: string): string | undefined {
  const names = [...sentence.matchAll(/`([^`]+)`/g)].map(([, name]) => name)
  let whole = true
  const filled = text.replace(/\{(\d|said)\}/g, (_, hole: string) => {
    const part = hole === 'said' ? sentence : names[Number(hole)]
    whole &&= part !== undefined
    return part ?? ''
  })
  return whole ? filled : undefined
}

interface Told {
  code?: string
  message: string
}
const by = (of: 'problems' | 'failures', { code = '', message }: Told): string => {
  const text = words()?.texts[of][code]
  return (text && fill(text, message)) ?? message
}

/** What is wrong, in the language of the page: by its code, else in the server's own words. */
export const said = (problem: Told): string => by('problems', problem)
/** Why a node failed. */
export const failureSaid = (failure: Told): string => by('failures', failure)

/** How to mend it. */
export function mended(remedy: string | null | undefined): string | undefined {
  if (!remedy) return undefined
  const known = words()?.remedies.find(([begins]) => begins.test(remedy))
  // A list of names that is too long ends with how many more there are.
  return known ? remedy.replace(known[0], known[1]).replace(/ and (\d+) more$/, ' et $1 de plus') : remedy
}

/** A thrown error in words: what is wrong, and how to mend it. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, remedy, status } = error as Error & { code?: unknown; remedy?: string; status?: number }
  // A target that is not reached has this code, too: there an answer came.
  if (code === 'unreachable' && status === 0) return i18n.global.t('problem.unreachable')
  // Something in between answered, with no words of the server.
  if (code === 'unexpected_answer') return i18n.global.t('problem.unexpected', { status })
  return sentences(typeof code === 'string' ? said({ code, message: error.message }) : error.message, mended(remedy))
}

/** What is wrong with a document, and how to mend it. */
export const wholly = (problem: Told & { remedy?: string | null }): string => sentences(said(problem), mended(problem.remedy))

/** What is wrong and how to mend it come as parts of sentences, and are read as two. */
function sentences(wrong: string, mend: string | undefined): string {
  if (!mend) return wrong
  return `${wrong}${/[.!?…]$/.test(wrong) ? '' : '.'} ${mend.charAt(0).toUpperCase()}${mend.slice(1)}`
}
