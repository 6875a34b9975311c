import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * A port that nothing listens to, and none of those that the kernel hands out by itself (from 32768 on): another test could be given it while a server
 * or a container is replaced.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 1000; tries++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const probe = createServer().listen(port, '127.0.0.1')
    try {
      await once(probe, 'listening')
    } catch {
      continue
    }
    probe.close()
    await once(probe, 'close')
    return port
  }
  throw new Error('no port from 20000 to 31999 is free')
}
