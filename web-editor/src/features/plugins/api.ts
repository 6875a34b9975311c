import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { api, everyPage, unwrap } from '@/api/client'
import type { NodeType } from '@/domain/node-types'
import { install, remove, type PluginPreview } from './installing'

export const useNodeTypeList = () =>
  useQuery({
    queryKey: ['node-types', 'list'],
    queryFn: () => everyPage((cursor) => unwrap(api.GET('/api/v1/node-types', { params: { query: { limit: 200, cursor } } }))) as Promise<NodeType[]>,
    staleTime: 300_000,
  })

/** The plugins of the server: its own, and those that were installed. */
export const usePlugins = () =>
  useQuery({ queryKey: ['plugins'], queryFn: async () => (await unwrap(api.GET('/api/v1/plugins'))).items, staleTime: 60_000 })

export function usePluginActions() {
  const queries = useQueryClient()
  // The list of this screen, the one of the editor, and that of the plugins.
  const onSuccess = () => Promise.all([['node-types'], ['node types'], ['plugins']].map((queryKey) => queries.invalidateQueries({ queryKey })))
  return {
    install: useMutation({ mutationFn: ({ file, shown }: { file: Blob; shown: PluginPreview }) => install(file, shown), onSuccess }),
    remove: useMutation({ mutationFn: remove, onSuccess }),
  }
}
