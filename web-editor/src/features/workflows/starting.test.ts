import { describe, expect, it } from 'vitest'
import { beginning, easiest } from './starting'

const template = (name: string, ...uses: string[]) => ({ name, registry: 'windflow', uses, title: { en: name, fr: name } })

describe('where to begin', () => {
  it('shows what runs as it is first, then what is small', () => {
    const all = [template('mails', 'email@1'), template('long', 'http@1', 'template@1', 'script@1'), template('short', 'http@1'), template('asks', 'approval@1', 'deploy@1')]
    expect(easiest(all, 3).map(({ name }) => name)).toEqual(['short', 'long', 'mails'])
  })

  it('is an address', () => {
    expect(beginning(template('short')).query).toEqual({ begin: 'windflow/short' })
    expect(beginning().query).toEqual({ begin: '' })
  })
})
