/** A Compose document as the server reads it: the parts of `windflow-stacks` that screens show. The OpenAPI document leaves them open. */
export interface Project {
  name: string
  services: Record<string, Service>
  networks: Record<string, { name: string; external: boolean }>
  volumes: Record<string, { name: string; external: boolean }>
}
export interface Service {
  image: string
  command: string[] | null
  environment: Record<string, string>
  ports: Port[]
  mounts: Mount[]
  networks: Record<string, unknown>
  files: { target: string }[]
  health: { test: string[] | null } | null
  depends_on: Record<string, { condition: Condition }>
  replicas: number
  resources: { nano_cpus: number | null; memory: number | null }
  container_name: string | null
}
export type Condition = 'started' | 'healthy' | 'completed'
interface Port {
  target: number
  published: number | null
  host_ip: string | null
  protocol: string
}
interface Mount {
  target: string
  source: { volume: string } | { host: string } | { memory: number | null } | 'anonymous'
  read_only: boolean
}

export const portText = ({ target, published, host_ip, protocol }: Port): string =>
  `${host_ip ? `${host_ip}:` : ''}${published === null ? '' : `${published} → `}${target}${protocol === 'tcp' ? '' : `/${protocol}`}`

/** Where a mount comes from, and whether that is a path of the target's machine. */
export function mountText({ source, target, read_only }: Mount): { text: string; host: boolean } {
  const from = source === 'anonymous' ? '' : 'volume' in source ? source.volume : 'host' in source ? source.host : 'tmpfs'
  return { text: `${from ? `${from} → ` : ''}${target}${read_only ? ' (ro)' : ''}`, host: typeof source === 'object' && 'host' in source }
}

/** Whether several containers of it can be there at once. */
export const scales = (service: Service): boolean => service.container_name === null && service.ports.every(({ published }) => published === null)
