/** What the words of the page are got by: `t` of vue-i18n. */
type Say = (key: string, named?: Record<string, string>) => string

const changes = ['created', 'changed', 'started', 'removed', 'unchanged']
const doings = ['stopping', 'creating', 'starting', 'waiting', 'healthy', 'running', 'completed', 'removed', 'restored', 'failed']
/** What a container is waited for. */
const waits: Readonly<Record<string, string>> = { 'its state': 'state', 'its start': 'start', 'its health check': 'health', 'it to stay up': 'stay', 'its end': 'end' }

/** A line that a deployment says, as `windflow-targets` writes it, in the language of the page. What is not known stays as it is. */
export function inWords(line: string, t: Say): string {
  const is = (what: string, how: string) => t('deployments.line.is', { what, how })
  const small = (key: string) => t(key).toLowerCase()

  const image = /^fetching (\S+)$/.exec(line)?.[1]
  if (image) return t('deployments.line.fetching', { image })

  const undone = /^(.*); what ran before is brought back$/s.exec(line)?.[1]
  if (undone) return t('deployments.line.undoing', { why: undone })

  const plan = /^plan: (\d+ [a-z]+(?:, \d+ [a-z]+)*)$/.exec(line)?.[1]?.split(', ').map((part) => part.split(' '))
  if (plan?.every(([, change = '']) => changes.includes(change))) return is(t('deployments.line.plan.is'), plan.map(([count = '', change]) => t(`deployments.line.plan.${change}`, { count })).join(', '))

  const part = /^(network|volume) (\S+) (created|removed)$/.exec(line)
  if (part) return is(`${t(`stacks.kind.${part[1]}`)} ${part[2]}`, small(`stacks.change.${part[3]}`))

  const [, who = '', doing = '', detail] = /^([A-Za-z0-9._-]+#\d+) (\w+)(?:: (.*))?$/s.exec(line) ?? []
  if (!doings.includes(doing)) return line
  if (doing === 'waiting' && detail !== undefined && waits[detail]) return is(who, t(`deployments.line.waits.${waits[detail]}`))
  return is(who, small(`deployments.doing.${doing}`) + (detail ? ` (${detail})` : ''))
}
