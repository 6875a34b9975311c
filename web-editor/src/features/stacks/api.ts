import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { api, everyPage, unwrap, type Schemas } from '@/api/client'
import { ApiProblem } from '@/api/problem'
import type { Fault } from '@/ui/code/YamlEditor.vue'
import type { Project } from './project'
import { given, mentions, sample, undeclared, type Values, type Variable } from './variables'

export type Stack = Schemas['StackView']
export type StackVersion = Schemas['StackVersionView']
export type Risk = Schemas['RiskView']
export type Wanted = Schemas['DeployStack']

/** What happens to a service, network or volume, and why. */
export interface Step {
  kind: string
  name: string
  change: 'unchanged' | 'created' | 'changed' | 'started' | 'removed'
  why: string
}
export interface Plan {
  steps: Step[]
  obstacles?: string[]
}

export const stacksKey = ['stacks'] as const
const named = (name: string) => ({ params: { path: { name } } })

export const useStacks = () =>
  useQuery({
    queryKey: [...stacksKey, 'list'],
    queryFn: () => everyPage((cursor) => unwrap(api.GET('/api/v1/stacks', { params: { query: { limit: 200, cursor } } }))),
  })

/** Whether a stack is kept, asked again while that may change by itself. */
export const useIsKept = (name: MaybeRefOrGetter<string>, mayGo: () => boolean) =>
  useQuery({
    queryKey: computed(() => [...stacksKey, 'kept', toValue(name)]),
    enabled: computed(() => Boolean(toValue(name))),
    retry: false,
    refetchInterval: (query) => (query.state.data === true && mayGo() ? 1500 : false),
    queryFn: async () => {
      try {
        await unwrap(api.GET('/api/v1/stacks/{name}', named(toValue(name))))
        return true
      } catch (error) {
        if (error instanceof ApiProblem && error.status === 404) return false
        throw error
      }
    },
  })

/** The versions of a stack, the latest first. They are there also where the stack is not any more. */
export const readVersions = async (name: string): Promise<StackVersion[]> =>
  (await everyPage((cursor) => unwrap(api.GET('/api/v1/stacks/{name}/versions', { params: { path: { name }, query: { limit: 200, cursor } } })))).reverse()

/** A stack with all of its versions, the latest first. */
export const readStack = async (name: string): Promise<Stack & { versions: StackVersion[] }> => {
  const [stack, versions] = await Promise.all([unwrap(api.GET('/api/v1/stacks/{name}', named(name))), readVersions(name)])
  return { ...stack, versions }
}
export const useStack = (name: MaybeRefOrGetter<string>) =>
  useQuery({ queryKey: computed(() => [...stacksKey, 'one', toValue(name)]), queryFn: () => readStack(toValue(name)) })

export interface Preview {
  project: Project | null
  variables: Variable[]
  risks: Risk[]
  problems: Fault[]
}

/** What a document comes to with these values, and with samples for those that nobody gave yet. */
export async function previewStack(name: string, text: string, values: Values): Promise<Preview> {
  const ask = async (variables: Values) => (await unwrap(api.POST('/api/v1/stacks/preview', { body: { name, text, variables } }))) as unknown as Preview & { problems: (Fault & { code: string })[] }
  // What was said of variables that the text has no more is not sent: there it would be a mistake.
  const said = Object.fromEntries(Object.entries(given(values)).filter(([one]) => mentions(text, one)))
  const first = await ask(said)
  const declared = first.variables ?? []
  const missing = [...declared, ...undeclared(text, declared)].filter((variable) => variable.type !== 'password' && !said[variable.name] && (variable.default ?? '') === '')
  const found = missing.length ? await ask({ ...Object.fromEntries(missing.map((variable) => [variable.name, sample(variable)])), ...said }) : first
  return { ...found, variables: [...declared, ...undeclared(text, declared)] }
}

export function useStackActions() {
  const queries = useQueryClient()
  const onSettled = () => queries.invalidateQueries({ queryKey: stacksKey })
  return {
    add: useMutation({ mutationFn: (body: Schemas['AddStack']) => unwrap(api.POST('/api/v1/stacks', { body })), onSettled }),
    change: useMutation({ mutationFn: ({ name, ...body }: { name: string } & Schemas['ChangeStack']) => unwrap(api.PUT('/api/v1/stacks/{name}', { ...named(name), body })), onSettled }),
    remove: useMutation({ mutationFn: (name: string) => unwrap(api.DELETE('/api/v1/stacks/{name}', named(name))), onSettled }),
  }
}

const to = (name: string, target: string) => ({ params: { path: { name, target } } })
export const planStack = (name: string, target: string, body: Wanted): Promise<Plan> =>
  unwrap(api.POST('/api/v1/stacks/{name}/plan/{target}', { ...to(name, target), body })) as Promise<Plan>
export const deployStack = (name: string, target: string, body: Wanted) => unwrap(api.POST('/api/v1/stacks/{name}/deploy/{target}', { ...to(name, target), body }))
