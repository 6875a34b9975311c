import { expect, it } from 'vitest'
import { reachable, told } from './ports'

it.each([
  ['127.0.0.1:8080->80/tcp', 'unix:///x', 'http://127.0.0.1:8080/'],
  ['0.0.0.0:8443->443/tcp', 'tcp://edge.example.org:2376', 'https://edge.example.org:8443/'],
  [':::8080->80/tcp', 'ssh://deploy@edge.example.org:22', 'http://edge.example.org:8080/'],
  ['0.0.0.0:53->53/udp', 'tcp://edge:2376', undefined],
  ['80/tcp', undefined, undefined],
] as const)('%s on %s is reached at %s', (port, target, address) => expect(reachable(port, target)).toBe(address))

it('what is published for both kinds of addresses is told once', () => {
  expect(told(['0.0.0.0:8080->80/tcp', ':::8080->80/tcp', ':::53->53/udp'])).toEqual(['0.0.0.0:8080->80/tcp', ':::53->53/udp'])
})
