import { QueryClient } from '@tanstack/vue-query'
import { ApiProblem } from '@/api/problem'

/** What was read from the server, and how often it is asked again. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (count, error) => error instanceof ApiProblem && error.passing && count < 3,
      retryDelay: (attempt) => Math.min(500 * 2 ** attempt, 5000),
      // `online` of a browser says nothing about a server on this machine.
      networkMode: 'always',
    },
    mutations: { retry: false, networkMode: 'always' },
  },
})
