import { defineConfig } from 'vitest/config'

// One real server and one real browser at a time: the journeys share a machine with little room.
export default defineConfig({
  test: { root: import.meta.dirname ?? new URL('.', import.meta.url).pathname, include: ['**/*.e2e.ts'], fileParallelism: false, testTimeout: 150_000, hookTimeout: 90_000 },
})
