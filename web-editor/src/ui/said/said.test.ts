import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ApiProblem } from '@/api/problem'
import { i18n, speak } from '@/i18n'
import french from './fr.json'
import { explain, failureSaid, fill, learn, mended, said } from './said'

/** Said to programs that call the API, or about a fault of the server: nobody meets them in the editor. */
const notTranslated = ['idempotency_key_reused', 'if_match_required', 'invalid_idempotency_key', 'invalid_last_event_id', 'no_websocket', 'schema']

const engine = join(process.cwd(), '../engine')
function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((one) => {
    const path = join(folder, one.name)
    if (one.isDirectory()) return sources(path)
    return one.name.endsWith('.rs') && one.name !== 'tests.rs' ? [readFileSync(path, 'utf8').split('#[cfg(test)]')[0] ?? ''] : []
  })
}
/** The OpenAPI document says that a code is a text, and no more: the codes are where problems are made, beside the checks that find them. */
const made = [
  /(?:Problem|document::Problem)::(?:error|warning|document|conflict|invalid|bad_request|refused|unfit)\(\s*"([a-z_]+)"\s*,/g,
  /DriverError::new\(\s*"([a-z_]+)"/g,
  // Why a container is not what it should be.
  /\bfailed\(\s*"([a-z_]+)"\s*,/g,
  // Of what a registry is refused for, and of what an engine answers with.
  /(?:Refused::[\w(){}., |:]+|\b4\d\d|_) => "(bad_[a-z]+|downgrade|not_found|conflict|refused|engine)",/g,
  /EditError::new\(\s*"([a-z_]+)"/g,
  /StatusCode::[A-Z_]+,\s*"([a-z_]+)"/g,
  /Self::(?:conflict|invalid|new|error|document|warning)\(\s*"([a-z_]+)"/g,
  /\b(?:problem|error|warn|warning|error_with|fault|refuse|report|invalid|conflict)\(\s*(?:[&\w.]+,\s*)*"([a-z]+(?:_[a-z]+)+)"\s*,/g,
]
const codes = new Set(['core', 'server', 'stacks', 'marketplace', 'targets'].flatMap((name) => sources(join(engine, `windflow-${name}/src`))).flatMap((text) => made.flatMap((pattern) => [...text.matchAll(pattern)].map((found) => found[1] as string))))

/** Said to programs that call the API: the editor asks as it should. */
const forPrograms = [/^send /, /^open this address with a client/, /^take `next` of the page/, /^this address takes/, /^`2`: 2$/, /^say it by/, /^use a new key for each start/, /^leave `target`, `deploy`/]
/** How to mend something, as the sources of the engine write it, with a number for whatever is put in. */
const toMend = ['core', 'server', 'stacks', 'marketplace', 'targets']
  .flatMap((name) => sources(join(engine, `windflow-${name}/src`)))
  .flatMap((text) => [...text.matchAll(/(?:\bremedy\(\s*|\blet remedy =\s*)(?:&?format!\(\s*)?"((?:[^"\\]|\\.)*)"/g)])
  .map(([, written]) => (written as string).replaceAll(/\\\n\s*/g, '').replaceAll(/\\(["\\])/g, '$1'))
  .map((written) => written.replaceAll(/\{\{|\}\}|\{[^{}]*\}/g, (hole) => (hole === '{{' ? '{' : hole === '}}' ? '}' : '2')))

describe('what the server says', () => {
  it('has a French text for each code, or is listed as having none', () => {
    expect(codes.size).toBeGreaterThan(120)
    const known = new Set([...Object.keys(french.problems), ...notTranslated])
    expect([...codes].filter((code) => !known.has(code)).sort()).toEqual([])
  })

  it('has no French text for what is said no more', () => {
    expect([...Object.keys(french.problems), ...notTranslated].filter((code) => !codes.has(code)).sort()).toEqual([])
  })

  it('tells in French why nodes fail, for each kind of failure of the engine', () => {
    const text = readFileSync(join(engine, 'windflow-core/src/failure.rs'), 'utf8')
    const kinds = [...text.matchAll(/Self::\w+ => "([a-z_]+)"/g)].map((found) => found[1])
    expect(Object.keys(french.failures).sort()).toEqual([...new Set(kinds)].sort())
  })

  it('is told in the language of the page, with the names that it names', async () => {
    const problem = { code: 'unknown_node_type', message: 'the node type `lgo@1` is not installed' }
    expect(said(problem)).toBe(problem.message)
    await learn('fr')
    i18n.global.locale.value = 'fr'
    try {
      expect(said(problem)).toBe('Le type de nœud `lgo@1` n’est pas installé.')
      expect(said({ code: 'not_known_here', message: 'it is so' })).toBe('it is so')
      // A sentence that names less than was thought says so itself.
      expect(said({ code: 'unknown_port', message: 'there is no such port' })).toBe('there is no such port')
      expect(mended('did you mean `log@1`?')).toBe('vouliez-vous dire `log@1`\u202f?')
      expect(mended('think again')).toBe('think again')
      expect(explain(new ApiProblem(409, 'workflow_exists', 'there is a workflow a already'))).toBe('Il y a déjà un workflow de ce nom.')
      expect(explain(new ApiProblem(422, 'of_its_own', 'there is no socket', 'is the engine installed, and does it run?'))).toBe('there is no socket. Le moteur est-il installé, et tourne-t-il\u202f?')
      // A node's own code means what the node means by it.
      expect(failureSaid({ code: 'unauthorized', message: 'the service answered 401' })).toBe('the service answered 401')
      expect(failureSaid({ code: 'timeout', message: 'it took more than 5s' })).toBe('Le nœud a pris trop de temps.')
    } finally {
      i18n.global.locale.value = 'en'
    }
  })

  it('is told in French where something else answered in its place', async () => {
    await speak('fr')
    try {
      expect(explain(ApiProblem.from(502, '<html>'))).toBe('Le serveur a répondu 502, ce qui n’était pas attendu ici.')
    } finally {
      await speak('en')
    }
  })

  it('tells in French how to mend it, for each remedy that the engine writes', async () => {
    expect(toMend.length).toBeGreaterThan(150)
    await learn('fr')
    i18n.global.locale.value = 'fr'
    try {
      expect(toMend.filter((remedy) => mended(remedy) === remedy && !forPrograms.some((one) => one.test(remedy)))).toEqual([])
      expect(mended('it takes `a`, `b` and 3 more')).toBe('il faut `a`, `b` et 3 de plus')
    } finally {
      i18n.global.locale.value = 'en'
    }
  })

  it('says in French why a plan changes something, for each reason that the engine gives', async () => {
    const text = readFileSync(join(engine, 'windflow-stacks/src/plan.rs'), 'utf8').split('#[cfg(test)]')[0] ?? ''
    const reasons = [...text.matchAll(/"((?:its? |none |the |\{\w*\} [a-z])[^"]*)"/g)].map(([, reason]) => (reason as string).replaceAll(/\{[^}]*\}/g, '2'))
    expect(reasons.length).toBeGreaterThan(15)
    await learn('fr')
    i18n.global.locale.value = 'fr'
    try {
      expect(reasons.filter((reason) => mended(reason) === reason)).toEqual([])
      expect(mended('its image was wordpress:6.9')).toBe('l’image était wordpress:6.9')
    } finally {
      i18n.global.locale.value = 'en'
    }
  })

  it('is filled in only where all of it is known', () => {
    expect(fill('{0} et {1}', '`a` and `b`')).toBe('a et b')
    expect(fill('{0} et {1}', '`a`')).toBeUndefined()
    expect(fill('Voici : {said}', 'the whole')).toBe('Voici : the whole')
  })
})
