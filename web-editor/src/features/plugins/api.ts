import { useQuery } from '@tanstack/vue-query'
import { api, everyPage, unwrap } from '@/api/client'
import type { NodeType } from '@/domain/node-types'

export const useNodeTypeList = () =>
  useQuery({
    queryKey: ['node-types', 'list'],
    queryFn: () => everyPage((cursor) => unwrap(api.GET('/api/v1/node-types', { params: { query: { limit: 200, cursor } } }))) as Promise<NodeType[]>,
    staleTime: 300_000,
  })
