import type { RouteRecordRaw } from 'vue-router'

const page = () => import('./TriggersPage.vue')

export default [
  { path: '/triggers', component: page, meta: { title: 'nav.triggers', needs: 'workflows:read' } },
  { path: '/workflows/:name/triggers', component: page, props: true, meta: { title: 'nav.triggers', needs: 'workflows:read' } },
] satisfies RouteRecordRaw[]
