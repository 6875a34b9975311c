import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/runs', component: () => import('./RunsPage.vue'), meta: { title: 'nav.runs', needs: 'runs:read' } },
] satisfies RouteRecordRaw[]
