import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/stacks', component: () => import('./StacksPage.vue'), meta: { title: 'nav.stacks', needs: 'stacks:read' } },
  { path: '/stacks/:name', component: () => import('./StackPage.vue'), props: true, meta: { title: 'nav.stacks', needs: 'stacks:read' } },
] satisfies RouteRecordRaw[]
