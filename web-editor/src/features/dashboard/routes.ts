import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/dashboard', component: () => import('./DashboardPage.vue'), meta: { title: 'nav.dashboard', needs: 'runs:read' } },
] satisfies RouteRecordRaw[]
