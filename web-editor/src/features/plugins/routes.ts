import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/plugins', component: () => import('./PluginsPage.vue'), meta: { title: 'nav.plugins', needs: 'workflows:read' } },
] satisfies RouteRecordRaw[]
