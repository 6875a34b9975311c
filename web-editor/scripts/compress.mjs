// Puts together what the server embeds and sends as it is: each file compressed once, as well as can be, and those that cannot be as they are.
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import zlib from 'node:zlib'

const [dist, embedded] = ['../dist/', '../embedded/'].map((folder) => fileURLToPath(new URL(folder, import.meta.url)))
const compressible = /\.(js|css|html|svg|wasm|json|txt|webmanifest)$/
const brotli = promisify(zlib.brotliCompress)
const gzip = promisify(zlib.gzip)

await rm(embedded, { recursive: true, force: true })
// What begins with a dot is of the build.
const files = (await readdir(dist, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile() && !`${entry.parentPath}/${entry.name}`.slice(dist.length).startsWith('.'))
await Promise.all(
  files.map(async (entry) => {
    const from = `${entry.parentPath}/${entry.name}`
    const to = embedded + from.slice(dist.length)
    await mkdir(dirname(to), { recursive: true })
    if (!compressible.test(from)) return copyFile(from, to)
    const content = await readFile(from)
    const params = { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: content.length }
    await writeFile(`${to}.br`, await brotli(content, { params }))
    await writeFile(`${to}.gz`, await gzip(content, { level: 9 }))
  }),
)
