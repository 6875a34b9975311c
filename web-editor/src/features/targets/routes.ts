import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/targets', component: () => import('./TargetsPage.vue'), meta: { title: 'nav.targets', needs: 'targets:read' } },
] satisfies RouteRecordRaw[]
