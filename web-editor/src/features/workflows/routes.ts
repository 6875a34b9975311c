import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/workflows', component: () => import('./WorkflowsPage.vue'), meta: { title: 'nav.workflows', needs: 'workflows:read' } },
] satisfies RouteRecordRaw[]
