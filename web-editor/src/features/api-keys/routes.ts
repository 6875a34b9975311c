import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/api-keys', component: () => import('./ApiKeysPage.vue'), meta: { title: 'nav.apiKeys', needs: 'people:manage' } },
] satisfies RouteRecordRaw[]
