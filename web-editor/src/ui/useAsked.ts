import { computed, ref, shallowRef } from 'vue'
import { complain, told } from './notify'

/**
 * Something that is done to one of several, once it was agreed to: whoever sets `one` is asked by a ConfirmDialog with `v-bind="dialog"`. What was
 * done is told in the words of `said`; where it fails, the question stays.
 */
export function useAsked<T>(act: (one: T) => Promise<unknown>, said?: (one: T) => string) {
  const one = shallowRef<T>()
  const busy = ref(false)
  async function agreed() {
    const asked = one.value
    if (asked === undefined) return
    busy.value = true
    try {
      await act(asked)
      if (said) told(said(asked))
      if (one.value === asked) one.value = undefined
    } catch (error) {
      complain(error)
    } finally {
      busy.value = false
    }
  }
  const dialog = computed(() => ({ modelValue: one.value !== undefined, busy: busy.value, 'onUpdate:modelValue': () => void (one.value = undefined), onConfirm: () => void agreed() }))
  return { one, dialog }
}
