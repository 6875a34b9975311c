import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/marketplace', component: () => import('./GalleryPage.vue'), meta: { title: 'nav.marketplace', needs: 'templates:read' } },
  { path: '/marketplace/installed', component: () => import('./manage/InstalledPage.vue'), meta: { title: 'marketplace.installedTitle', needs: 'templates:read' } },
  { path: '/marketplace/registries', component: () => import('./manage/RegistriesPage.vue'), meta: { title: 'marketplace.registries', needs: 'registries:manage' } },
  { path: '/marketplace/templates/:name', component: () => import('./template/TemplatePage.vue'), props: true, meta: { title: 'nav.marketplace', needs: 'templates:read' } },
] satisfies RouteRecordRaw[]
