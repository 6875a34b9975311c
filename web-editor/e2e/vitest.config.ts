import { configDefaults, defineConfig } from 'vitest/config'

const root = import.meta.dirname ?? new URL('.', import.meta.url).pathname
const limits = { root, testTimeout: 150_000, hookTimeout: 90_000 }
/** What is timed has the machine to itself. */
const timed = 'speed.e2e.ts'

// Every file has a real server and a real browser of its own. A journey waits for pages more than it computes: two go side by side.
export default defineConfig({
  test: {
    projects: [
      { test: { ...limits, name: 'journeys', include: ['**/*.e2e.ts'], exclude: [...configDefaults.exclude, timed], maxWorkers: 2, sequence: { groupOrder: 0 } } },
      { test: { ...limits, name: 'timed', include: [timed], maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
})
