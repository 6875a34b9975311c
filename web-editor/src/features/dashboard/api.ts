import { useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { api, unwrap } from '@/api/client'
import { runsKey, type Run } from '../runs/api'
import { windowOf, type Span } from './chart'

export const useStatistics = (span: MaybeRefOrGetter<Span>) =>
  useQuery({
    queryKey: computed(() => [...runsKey, 'statistics', toValue(span)]),
    queryFn: () => unwrap(api.GET('/api/v1/statistics', { params: { query: windowOf(toValue(span), Date.now()) } })),
    refetchInterval: 60_000,
    placeholderData: (before) => before,
  })

export const useRecent = (status: 'failed' | undefined, limit: number) =>
  useQuery({
    queryKey: [...runsKey, 'recent', status ?? 'any'],
    queryFn: async () => (await unwrap(api.GET('/api/v1/runs', { params: { query: { status, limit } } }))).items as Run[],
    refetchInterval: 60_000,
  })
