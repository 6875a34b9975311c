import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/credentials', component: () => import('./CredentialsPage.vue'), meta: { title: 'nav.credentials', needs: 'secrets:manage' } },
] satisfies RouteRecordRaw[]
