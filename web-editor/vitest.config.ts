import { mergeConfig } from 'vite'
import { defineConfig } from 'vitest/config'
import base from './vite.config.ts'

export default mergeConfig(base, defineConfig({ test: { environment: 'happy-dom', isolate: false, setupFiles: ['vitest.setup.ts'], include: ['src/**/*.test.ts'], testTimeout: 20_000 } }))
