import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import unocss from '@unocss/vite'
import components from 'unplugin-vue-components/vite'
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers'
import { defineConfig, type Plugin, type ProxyOptions } from 'vite'
import { firstPaint } from './scripts/first-paint.ts'

const server = process.env.WINDFLOW_URL ?? 'http://127.0.0.1:7878'
/**
 * Streams pass as they come: their head goes on before there is anything to tell, and what is cut off at the server is cut off here, too.
 * Whoever listens would wait without need, or for ever.
 */
const configure: ProxyOptions['configure'] = (proxy) => {
  proxy.on('proxyRes', (answer, _, to) => {
    setImmediate(() => to.headersSent || to.destroyed || to.flushHeaders())
    answer.once('close', () => !answer.complete && to.destroy())
  })
}
const proxy = Object.fromEntries(['/api/', '/hooks/', '/callbacks/', '/healthz', '/startupz', '/readyz'].map((path) => [path, { target: server, configure }]))

/** Tells the page where the texts of each language are, so that `public/theme.js` asks for the right ones at once instead of after the application. */
const languagesAhead: Plugin = {
  name: 'languages-ahead',
  transformIndexHtml: {
    order: 'post',
    handler(html, { bundle }) {
      const files = Object.values(bundle ?? {}).flatMap((part) => {
        const language = part.type === 'chunk' && /src\/i18n\/(\w\w)\.ts$/.exec(part.facadeModuleId ?? '')?.[1]
        return language ? [`data-${language}="/${part.fileName}"`] : []
      })
      return html.replace('<script src="/theme.js"', `$& ${files.join(' ')}`)
    },
  },
}

/** Named by what it is for: what every page needs comes as one file, what many pages share as another; each request more costs a slow line its way there and back. */
const groups = [
  { name: 'start', test: /^(?!.*(\/main\.ts|\.html)$)/, tags: ['$initial' as const], priority: 2 },
  { name: 'shared', test: /\/src\/(ui\/\w+\.|api\/|app\/|domain\/)|@tanstack|@vueuse/, minShareCount: 6, priority: 1 },
]

export default defineConfig({
  plugins: [
    vue(),
    unocss(),
    languagesAhead,
    firstPaint,
    // Element Plus comes in piece by piece: only what a template names, with its own styles.
    components({ dirs: [], dts: 'components.d.ts', resolvers: [ElementPlusResolver({ importStyle: 'css', directives: true })] }),
  ],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  define: { __VUE_I18N_LEGACY_API__: false, __VUE_I18N_FULL_INSTALL__: false, __VUE_OPTIONS_API__: true, __VUE_PROD_DEVTOOLS__: false },
  server: { host: '127.0.0.1', proxy },
  preview: { host: '127.0.0.1', proxy },
  worker: { format: 'es' },
  // The server forbids inline scripts; a small asset must not become one, nor a data address.
  build: { manifest: true, target: 'es2023', modulePreload: { polyfill: false }, assetsInlineLimit: 0, chunkSizeWarningLimit: 1600, rolldownOptions: { output: { codeSplitting: { groups } } } },
})
