import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { api, unwrap, type Schemas } from '@/api/client'
import { ApiProblem } from '@/api/problem'
import { adopt, forget, mayGoOn } from '@/api/session'

export type Permission = Schemas['Permission']

/** Who is signed in, and what they may do. */
export const useSession = defineStore('session', () => {
  const me = ref<Schemas['Me']>()
  const restored = ref(false)
  let restoring: Promise<void> | undefined

  const signedIn = computed(() => me.value !== undefined)
  const may = (permission: Permission): boolean => me.value?.permissions.includes(permission) ?? false

  async function load(): Promise<void> {
    me.value = await unwrap(api.GET('/api/v1/auth/me'))
  }

  /** Takes up the session of this device, once. Throws where the server cannot say whether it is still good. */
  function restore(): Promise<void> {
    if (restored.value) return Promise.resolve()
    restoring ??= takeUp().finally(() => (restoring = undefined))
    return restoring
  }

  async function takeUp(): Promise<void> {
    if (mayGoOn()) {
      try {
        await load()
      } catch (error) {
        if (!(error instanceof ApiProblem) || error.status !== 401) throw error
      }
    }
    restored.value = true
  }

  async function signIn(email: string, password: string): Promise<void> {
    adopt(await unwrap(api.POST('/api/v1/auth/login', { body: { email, password, cookie: true } })))
    await load()
  }

  async function setUp(body: Omit<Schemas['Setup'], 'cookie'>): Promise<void> {
    adopt(await unwrap(api.POST('/api/v1/auth/setup', { body: { ...body, cookie: true } })))
    await load()
  }

  /** All sessions end but this one, which goes on with new tokens. */
  async function changePassword(current: string, changed: string): Promise<void> {
    adopt(await unwrap(api.POST('/api/v1/auth/password', { body: { current, new: changed, cookie: true } })))
  }

  async function signOut(): Promise<void> {
    me.value = undefined
    // Signing out here must work whether or not the server hears of it.
    await api.POST('/api/v1/auth/logout', { body: {} }).catch(() => undefined)
    forget()
  }

  return { me, signedIn, may, restore, signIn, setUp, changePassword, signOut, ended: () => (me.value = undefined) }
})
