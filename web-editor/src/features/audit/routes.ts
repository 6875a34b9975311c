import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/audit', component: () => import('./AuditPage.vue'), meta: { title: 'nav.audit', needs: 'people:manage' } },
] satisfies RouteRecordRaw[]
