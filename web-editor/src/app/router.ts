import { createRouter, createWebHistory, type RouteLocationNormalized, type RouteRecordRaw } from 'vue-router'
import { i18n } from '@/i18n'
import { mayGoOn, onSessionEnd } from '@/api/session'
import { shell } from './parts'
import { useSession, type Permission } from './session'

declare module 'vue-router' {
  interface RouteMeta {
    /** Key of the title. */
    title?: string
    /** May be seen without signing in. */
    open?: boolean
    /** What somebody must be allowed to do to see it. */
    needs?: Permission
    /** Takes the whole screen below the top bar, without page margins. */
    full?: boolean
  }
}

// Each feature brings its own routes, so that adding a screen touches one folder.
const routes = Object.values(
  import.meta.glob<RouteRecordRaw[]>('../features/*/routes.ts', { eager: true, import: 'default' }),
).flat()

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    ...routes,
    { path: '/', redirect: '/workflows' },
    { path: '/:rest(.*)*', component: () => import('./NotFoundPage.vue'), meta: { title: 'state.notFound' } },
  ],
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
})

/** Asks for the parts of a screen while the server is asked who is there. Where one does not come, whoever needs it says so. */
export function fetchAhead(wanted: Pick<RouteLocationNormalized, 'matched' | 'meta'>): void {
  const to = wanted.meta.open || useSession().signedIn || mayGoOn() ? wanted : router.resolve('/sign-in')
  const parts: unknown[] = to.matched.map(({ components }) => components?.default)
  if (!to.meta.open) parts.push(shell)
  for (const part of parts) if (typeof part === 'function') void Promise.resolve(part()).catch(() => undefined)
}

router.beforeEach(async (to) => {
  const session = useSession()
  fetchAhead(to)
  await session.restore()
  if (!to.meta.open && !session.signedIn) return { path: '/sign-in', query: { back: to.fullPath } }
  if (to.path === '/sign-in' && session.signedIn) return '/'
  return true
})

router.afterEach((to) => {
  const title = to.params.name ? String(to.params.name) : to.meta.title ? i18n.global.t(to.meta.title) : undefined
  document.title = title ? `${title} · WindFlow` : 'WindFlow'
})

/** Leads to the sign-in when a session ends by itself, and back afterwards. */
export function followSession(): void {
  onSessionEnd(() => {
    const session = useSession()
    const wasIn = session.signedIn
    session.ended()
    const here = router.currentRoute.value
    if (wasIn && !here.meta.open) void router.replace({ path: '/sign-in', query: { back: here.fullPath, ended: '1' } })
  })
}

/** A place of this application to go back to; never another site's. */
export const safeBack = (wanted: unknown): string =>
  typeof wanted === 'string' && /^\/(?![/\\])/.test(wanted) ? wanted : '/'
