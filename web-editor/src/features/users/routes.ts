import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/users', component: () => import('./UsersPage.vue'), meta: { title: 'nav.users', needs: 'people:manage' } },
] satisfies RouteRecordRaw[]
