import { defineConfig } from 'vitest/config'

// One real server and one real browser at a time: the journeys share a machine with little room. On one that is busy a page may come too late
// for its journey, which then has a second try; what is wrong fails twice.
export default defineConfig({
  test: { root: import.meta.dirname ?? new URL('.', import.meta.url).pathname, include: ['**/*.e2e.ts'], fileParallelism: false, testTimeout: 150_000, hookTimeout: 90_000, retry: 1 },
})
