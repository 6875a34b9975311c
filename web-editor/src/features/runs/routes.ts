import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/runs', component: () => import('./RunsPage.vue'), meta: { title: 'nav.runs', needs: 'runs:read' } },
  { path: '/runs/:run', component: () => import('./RunPage.vue'), props: true, meta: { title: 'runs.one', needs: 'runs:read' } },
] satisfies RouteRecordRaw[]
