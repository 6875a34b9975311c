import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/sign-in', component: () => import('./SignInPage.vue'), meta: { open: true, title: 'auth.signIn' } },
  { path: '/set-up', component: () => import('./SetUpPage.vue'), meta: { open: true, title: 'auth.setup' } },
] satisfies RouteRecordRaw[]
