// Compresses what was built, once, as well as can be: the server embeds the results and sends them as they are.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import zlib from 'node:zlib'

const dist = fileURLToPath(new URL('../dist/', import.meta.url))
const compressible = /\.(js|css|html|svg|wasm|json|txt|webmanifest)$/
const brotli = promisify(zlib.brotliCompress)
const gzip = promisify(zlib.gzip)

const names = (await readdir(dist, { recursive: true })).filter((name) => compressible.test(name))
await Promise.all(
  names.map(async (name) => {
    const content = await readFile(dist + name)
    const params = { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: content.length }
    await writeFile(`${dist}${name}.br`, await brotli(content, { params }))
    await writeFile(`${dist}${name}.gz`, await gzip(content, { level: 9 }))
  }),
)
