// Puts together what the server embeds and sends as it is: each file compressed once, as well as can be, and those that cannot be as they are.
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import zlib from 'node:zlib'

const [dist, embedded] = ['../dist/', '../embedded/'].map((folder) => fileURLToPath(new URL(folder, import.meta.url)))
const compressible = /\.(js|css|html|svg|wasm|json|txt|webmanifest)$/
const brotli = promisify(zlib.brotliCompress)
const gzip = promisify(zlib.gzip)

await rm(embedded, { recursive: true, force: true })
const entries = await readdir(dist, { recursive: true, withFileTypes: true })
const names = entries.filter((entry) => entry.isFile()).map((entry) => relative(dist, join(entry.parentPath, entry.name)))
await Promise.all(
  // What begins with a dot is of the build.
  names.filter((name) => !name.startsWith('.')).map(async (name) => {
    const [from, to] = [dist + name, embedded + name]
    await mkdir(dirname(to), { recursive: true })
    if (!compressible.test(from)) return copyFile(from, to)
    const content = await readFile(from)
    const params = { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: content.length }
    await writeFile(`${to}.br`, await brotli(content, { params }))
    await writeFile(`${to}.gz`, await gzip(content, { level: 9 }))
  }),
)
