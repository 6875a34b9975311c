import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/secrets', component: () => import('./SecretsPage.vue'), meta: { title: 'nav.secrets', needs: 'secrets:manage' } },
] satisfies RouteRecordRaw[]
