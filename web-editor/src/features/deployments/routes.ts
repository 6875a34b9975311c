import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/deployments', component: () => import('./DeploymentsPage.vue'), meta: { title: 'nav.deployments', needs: 'stacks:read' } },
  { path: '/deployments/:id', component: () => import('./DeploymentPage.vue'), props: true, meta: { title: 'nav.deployments', needs: 'stacks:read' } },
] satisfies RouteRecordRaw[]
