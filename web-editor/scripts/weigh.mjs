// What a person loads before the first screen, and before the canvas, as the server sends it. Too much fails the build.
import { readdir, readFile, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import zlib from 'node:zlib'

const dist = fileURLToPath(new URL('../dist/', import.meta.url))
const brotli = promisify(zlib.brotliCompress)
const manifest = JSON.parse(await readFile(`${dist}.vite/manifest.json`, 'utf8'))

/** A part with all that it cannot do without. */
function within(name, seen = new Set()) {
  const part = manifest[name]
  if (!part) throw new Error(`weigh: there is no part ${name}; has a file been renamed?`)
  if (seen.has(name)) return seen
  seen.add(name)
  for (const one of part.imports ?? []) within(one, seen)
  return seen
}
const files = (names) => new Set(names.flatMap((name) => [...within(name)]).flatMap((name) => [manifest[name].file, ...(manifest[name].css ?? [])]))
const weight = async (file) => {
  const content = await readFile(dist + file)
  return /\.woff2$/.test(file) ? content.length : (await brotli(content)).length
}
const sum = async (all) => (await Promise.all([...all].map(weight))).reduce((a, b) => a + b, 0)

const page = 'index.html'
const fonts = Object.values(manifest).flatMap(({ assets = [] }) => assets).filter((file) => /geist-(mono-)?latin-wght/.test(file))
// windflow-core and the worker around it are built beside the page, which does not name them.
const core = (await readdir(`${dist}assets`)).filter((name) => /^(core\.worker-[^.]*\.js|.*\.wasm)$/.test(name)).map((name) => `assets/${name}`)
if (fonts.length !== 2 || core.length !== 2) throw new Error(`weigh: expected two fonts and two parts of the core, found ${[...fonts, ...core].join(', ')}`)
const first = ['src/features/dashboard/DashboardPage.vue', 'src/features/notifications/NotificationBell.vue', 'src/i18n/fr.ts']
const screens = [
  // Name, parts, further files, kilobytes at most. Of the editor most is windflow-core, which a worker loads beside it.
  ['first screen', [page, ...first], fonts, 350],
  ['editor', [page, 'src/features/editor/EditorPage.vue'], [...fonts, ...core], 1300],
]
let heavy = false
for (const [name, parts, more, most] of screens) {
  const kilobytes = Math.round((await sum(new Set([...files(parts), ...more]))) / 1000)
  console.log(`${name}: ${kilobytes} kB of at most ${most} kB`)
  heavy ||= kilobytes > most
}
// It is for this script only, and no part of what is served.
await rm(`${dist}.vite`, { recursive: true })
if (heavy) {
  console.error('weigh: too much is loaded at once. Import what is not needed at first with `import()`.')
  process.exit(1)
}
