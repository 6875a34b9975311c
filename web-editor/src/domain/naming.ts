/** What a workflow may be called. The core checks it again. */
export const isWorkflowName = (name: string): boolean => /^[a-z][a-z0-9_-]{0,63}$/.test(name)

/** A name out of what somebody wrote: `Site check (old)` becomes `site-check-old`. */
export const workflowName = (text: string): string =>
  text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, 64)

/** The first of `name`, `name-2`, `name-3`, … that is free. */
export function freeName(wanted: string, taken: ReadonlySet<string>, between = '-'): string {
  if (!taken.has(wanted)) return wanted
  let number = 2
  while (taken.has(`${wanted}${between}${number}`)) number++
  return `${wanted}${between}${number}`
}

/** The text of a workflow that does nothing yet. */
export const emptyWorkflow = (name: string, description = ''): string =>
  `windflow: 1\nname: ${name}\n${description ? `description: ${JSON.stringify(description)}\n` : ''}\nnodes: {}\n`
