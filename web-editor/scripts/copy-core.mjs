// windflow-core for the browser is built by `cargo xtask editor-core`; here it is only taken over.
import { copyFile, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const built = fileURLToPath(new URL('../../target/editor/windflow_browser.wasm', import.meta.url))
const wanted = fileURLToPath(new URL('../src/core/windflow_browser.wasm', import.meta.url))

const exists = async (path) => (await stat(path).catch(() => null))?.isFile() ?? false
if (await exists(built)) await copyFile(built, wanted)
else if (!(await exists(wanted))) {
  console.error('windflow_browser.wasm is missing. Build it with `cargo xtask editor-core`, then run this again.')
  process.exit(1)
}
