import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/workflows/:name',
    component: () => import('./EditorPage.vue'),
    props: true,
    meta: { title: 'nav.workflows', needs: 'workflows:read', full: true },
  },
] satisfies RouteRecordRaw[]
