import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import unocss from '@unocss/vite'
import components from 'unplugin-vue-components/vite'
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers'
import { defineConfig, type ProxyOptions } from 'vite'

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

export default defineConfig({
  plugins: [
    vue(),
    unocss(),
    // Element Plus comes in piece by piece: only what a template names, with its own styles.
    components({ dirs: [], dts: 'components.d.ts', resolvers: [ElementPlusResolver({ importStyle: 'css', directives: true })] }),
  ],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  define: { __VUE_I18N_LEGACY_API__: false, __VUE_I18N_FULL_INSTALL__: false, __VUE_OPTIONS_API__: true, __VUE_PROD_DEVTOOLS__: false },
  server: { host: '127.0.0.1', proxy },
  preview: { host: '127.0.0.1', proxy },
  worker: { format: 'es' },
  // The server forbids inline scripts; a small asset must not become one, nor a data address.
  build: { manifest: true, target: 'es2023', modulePreload: { polyfill: false }, assetsInlineLimit: 0, chunkSizeWarningLimit: 1600 },
})
