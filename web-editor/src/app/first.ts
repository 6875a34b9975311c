/** What somebody typed into the sign-in that comes with the page, before the application was there to take it. */
export interface Typed {
  email: string
  password: string
  /** Where they are. */
  at?: 'email' | 'password'
}

let typed: Typed | undefined

/** The sign-in of the page, where it is the one that is seen. */
const shown = (): HTMLElement | undefined => [...document.querySelectorAll<HTMLElement>('#app > .first-page')].find((one) => getComputedStyle(one).display !== 'none')

/** Waits for what takes its place, so that nothing is seen in between, and keeps what was typed. */
export async function relieve(ready: () => Promise<unknown>): Promise<void> {
  const first = shown()
  if (!first) return
  // Where it fails the application says so.
  await ready().catch(() => undefined)
  const field = (type: string) => first.querySelector<HTMLInputElement>(`input[type=${type}]`)
  const at = document.activeElement?.getAttribute('type')
  typed = { email: field('email')?.value ?? '', password: field('password')?.value ?? '', at: at === 'email' || at === 'password' ? at : undefined }
}

/** Told once: a password is kept nowhere. */
export function takeTyped(): Typed | undefined {
  const told = typed
  typed = undefined
  return told
}
