import address from '../core/windflow_browser.wasm?url'
import { coreEngine, type CoreEngine } from './core-engine'

// A wrong content type of a proxy must not stop the editor: streaming is only the faster way.
async function load(): Promise<CoreEngine> {
  const { instance } = await WebAssembly.instantiateStreaming(fetch(address)).catch(async () =>
    WebAssembly.instantiate(await (await fetch(address)).arrayBuffer()),
  )
  return coreEngine(instance)
}

const engine = load()

globalThis.addEventListener('message', (message: MessageEvent<{ id: number; request: string }>) => {
  const { id, request } = message.data
  engine.then(
    (core) => {
      try {
        postMessage({ id, answer: core.call(request) })
      } catch (error) {
        postMessage({ id, failure: String(error) })
      }
    },
    (error: unknown) => postMessage({ id, failure: String(error) }),
  )
})
