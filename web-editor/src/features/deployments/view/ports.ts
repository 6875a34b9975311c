/** Ports that are published for both kinds of addresses alike are told once. */
export const told = (ports: readonly string[]): string[] => ports.filter((port) => !port.startsWith(':::') || !ports.includes(port.replace(':::', '0.0.0.0:')))

/** The address at which somebody may open a published port (`127.0.0.1:8080->80/tcp`); none where a browser has nothing to open. */
export function reachable(port: string, target?: string): string | undefined {
  const found = /^(.*):(\d+)->(\d+)\/tcp$/.exec(port)
  if (!found) return undefined
  const [, bound = '', published = '', inside = ''] = found
  const everywhere = /^(0\.0\.0\.0|::|\[::\]|)$/.test(bound)
  const machine = target && !target.startsWith('unix://') ? /^\w+:\/\/(?:[^@/]*@)?(\[[^\]]+\]|[^:/]+)/.exec(target)?.[1] : globalThis.location?.hostname
  const host = everywhere ? machine : bound
  return host ? `${inside === '443' || published === '443' ? 'https' : 'http'}://${host}:${published}/` : undefined
}
