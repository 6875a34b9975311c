import '@fontsource-variable/geist/index.css'
import '@fontsource-variable/geist-mono/index.css'
import './styles/near.css'
import './styles/base.css'
import './styles/first.css'
import './styles/tokens.css'
import 'element-plus/theme-chalk/base.css'
import './styles/element.css'
import './styles/switch.css'
import './styles/table.css'
import 'virtual:uno.css'
import { VueQueryPlugin } from '@tanstack/vue-query'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './app/App.vue'
import { relieve } from './app/first'
import { usePreferences } from './app/preferences'
import { queries } from './app/queries'
import { fetchAhead, followSession, router } from './app/router'
import { useSession } from './app/session'
import { i18n, speak } from './i18n'

const app = createApp(App).use(createPinia()).use(i18n).use(VueQueryPlugin, { queryClient: queries })
followSession()
fetchAhead(router.resolve(location.pathname))
// All of it is under way at once. Where the server cannot say who is there, the router asks again and says so.
void useSession().restore().catch(() => undefined)
await speak(usePreferences().language)
app.use(router)
await relieve(() => router.isReady())
app.mount('#app')

// Only what was built has files with names that never change; a browser without this, or on plain http elsewhere, loses nothing.
if (import.meta.env.PROD) void navigator.serviceWorker?.register('/worker.js').catch(() => undefined)
