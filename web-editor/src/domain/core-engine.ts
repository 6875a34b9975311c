/** windflow-core in WebAssembly, called directly. Pages use `core.ts`, which does so in a worker. */

interface Exports {
  memory: WebAssembly.Memory
  alloc(length: number): number
  free(at: number, length: number): void
  call(at: number, length: number): bigint
}

export interface CoreEngine {
  /** JSON in, JSON out. */
  call(request: string): string
}

export function coreEngine(instance: WebAssembly.Instance): CoreEngine {
  const core = instance.exports as unknown as Exports
  const encoder = new TextEncoder()
  const decoder = new TextDecoder()
  return {
    call(request) {
      const bytes = encoder.encode(request)
      const at = core.alloc(bytes.length)
      // The memory may have moved by growing: it is looked at anew each time.
      new Uint8Array(core.memory.buffer, at, bytes.length).set(bytes)
      const result = BigInt.asUintN(64, core.call(at, bytes.length))
      core.free(at, bytes.length)
      const resultAt = Number(result >> 32n)
      const length = Number(result & 0xffff_ffffn)
      const text = decoder.decode(new Uint8Array(core.memory.buffer, resultAt, length))
      core.free(resultAt, length)
      return text
    },
  }
}
