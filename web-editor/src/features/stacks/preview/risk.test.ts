import { expect, it } from 'vitest'
import { riskText } from './risk'

it('says a risk by its name, and leaves unknown ones to the server', () => {
  expect(riskText({ name: 'web:host_path:/srv/a:b' })).toEqual({ key: 'stacks.risk.host_path', holes: { service: 'web', what: '/srv/a:b' } })
  expect(riskText({ name: 'db:privileged' })).toEqual({ key: 'stacks.risk.privileged', holes: { service: 'db', what: '' } })
  expect([riskText({ name: 'db:time_travel' }), riskText({ name: 'what' })]).toEqual([undefined, undefined])
})
