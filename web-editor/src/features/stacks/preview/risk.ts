import type { Risk } from '../api'

const codes = ['privileged', 'host_network', 'docker_socket', 'host_path', 'host_namespace', 'device', 'capability', 'security'] as const

/** A risk as a key of a text with what goes into its holes, read from the name that confirms it: `web:host_path:/etc`. Others are said as the server says them. */
export function riskText({ name }: Pick<Risk, 'name'>): { key: string; holes: { service: string; what: string } } | undefined {
  const [, service = '', code = '', what = ''] = /^([^:]+):([a-z_]+)(?::(.*))?$/s.exec(name) ?? []
  const known = codes.find((one) => one === code)
  return known && { key: `stacks.risk.${known}`, holes: { service, what } }
}
