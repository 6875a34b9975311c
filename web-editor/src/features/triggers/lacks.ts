/** What is to be set before a trigger, or a node that it starts, can do what the text says. */
export interface Lack {
  kind: 'secret' | 'credential'
  name: string
}

/** What the server's sentence names; a test holds it against the sentences that the server makes. What it says otherwise is told as it is. */
export function lackOf(problem: string): Lack | undefined {
  const found = /\bthe (secret|credential) `([^`]+)`/.exec(problem)
  return found ? { kind: found[1] as Lack['kind'], name: found[2] as string } : undefined
}

/** Where it is set. */
export const placeOf = ({ kind, name }: Lack) => ({ path: kind === 'secret' ? '/secrets' : '/credentials', query: { set: name } })
