import type { RouteRecordRaw } from 'vue-router'

export default [{ path: '/marketplace/import', component: () => import('./ConvertPage.vue'), meta: { title: 'convert.title', needs: 'templates:read' } }] satisfies RouteRecordRaw[]
