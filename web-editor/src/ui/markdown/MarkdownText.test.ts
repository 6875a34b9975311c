import { mount } from '@vue/test-utils'
import { describe, expect, it } from 'vitest'
import MarkdownText from './MarkdownText'

const html = (text: string, level?: number) => mount(MarkdownText, { props: { text, ...(level && { level }) } }).html({ raw: true })

describe('Markdown', () => {
  it('becomes headings, lists, code, tables and links', () => {
    const made = html('# Shop\n\nA **good** `one`.\n\n- a\n- b\n\n```console\n$ ls <x>\n```\n\n| A | B |\n|---|---|\n| 1 | 2 |\n\n[Site](https://example.org)')
    for (const part of ['<h2>Shop</h2>', '<strong>good</strong>', '<code>one</code>', '<li>a</li>', '$ ls &lt;x&gt;', '<th>A</th>', '<td>2</td>', 'href="https://example.org"', 'rel="noopener noreferrer nofollow"']) expect(made).toContain(part)
  })

  it('never becomes markup of its own', () => {
    const made = html('<script>alert(1)</script>\n\n<img src=x onerror=alert(1)> [x](javascript:alert(1)) ![y](https://example.org/y.png) [z](//evil.example)\n\n<b>bold</b>')
    expect(made).not.toMatch(/<script|<img|<b>|href=/)
    expect(made).toContain('&lt;script&gt;')
  })

  it('has headings that go on where the page is', () => expect(html('## One\n\n### Two', 3)).toMatch(/<h3>One<\/h3>.*<h4>Two<\/h4>/))
})
