import { createReadStream, existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vite'

const dist = fileURLToPath(new URL('../dist', import.meta.url))
const types: Record<string, string> = { js: 'text/javascript', css: 'text/css', html: 'text/html', svg: 'image/svg+xml', wasm: 'application/wasm', json: 'application/json', webmanifest: 'application/manifest+json' }

/** Sends what `scripts/compress.mjs` compressed as the binary does, so that the weight of what was built just now can be measured. */
export const asServed: Plugin = {
  name: 'as-served',
  configurePreviewServer({ middlewares }) {
    middlewares.use((request, response, next) => {
      const path = new URL(request.url ?? '/', 'http://localhost').pathname
      const page = request.headers.accept?.includes('text/html') && !/^\/(api|hooks|callbacks)\//.test(path) && !/\.\w+$/.test(path)
      const name = page ? '/index.html' : path
      const packed = `${dist}${name}.br`
      if (name.includes('..') || !existsSync(packed)) return next()
      response.setHeader('content-type', `${types[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream'}; charset=utf-8`)
      response.setHeader('content-encoding', 'br')
      response.setHeader('cache-control', name.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache')
      createReadStream(packed).pipe(response)
    })
  },
}
