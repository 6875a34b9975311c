import type { Nodes, Parents } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmTableFromMarkdown } from 'mdast-util-gfm-table'
import { gfmTable } from 'micromark-extension-gfm-table'
import { computed, defineComponent, h, type VNodeChild } from 'vue'

/** Other people's Markdown. It becomes elements one by one, so that nothing in it is ever read as markup of the page. */
export default defineComponent({
  name: 'MarkdownText',
  props: {
    text: { type: String, required: true },
    /** The level of its first headings. */
    level: { type: Number, default: 2 },
  },
  setup(props) {
    const tree = computed(() => fromMarkdown(props.text, { extensions: [gfmTable()], mdastExtensions: [gfmTableFromMarkdown()] }))
    return () => h('div', { class: 'markdown' }, children(tree.value, shiftOf(tree.value, props.level)))
  },
})

/** Addresses that a link may have: none that runs something, none that leads into this application. */
const isSafe = (url: string): boolean => /^(https?:\/\/|mailto:)/i.test(url)

/** By how much headings are moved, so that the highest of the text has the wanted level. */
function shiftOf(tree: Nodes, level: number): number {
  const depths = 'children' in tree ? tree.children.flatMap((node) => (node.type === 'heading' ? [node.depth] : [])) : []
  return depths.length ? level - Math.min(...depths) : 0
}

const children = (node: Parents, shift: number): VNodeChild[] => node.children.map((child) => draw(child, shift))

const plain: Partial<Record<Nodes['type'], string>> = { paragraph: 'p', emphasis: 'em', strong: 'strong', blockquote: 'blockquote', listItem: 'li' }

function draw(node: Nodes, shift: number): VNodeChild {
  switch (node.type) {
    case 'text':
    case 'html': // Markup stays the text that it is.
      return node.value
    case 'heading':
      return h(`h${Math.min(6, Math.max(1, node.depth + shift))}`, children(node, shift))
    case 'list':
      return h(node.ordered ? 'ol' : 'ul', node.ordered && node.start !== 1 ? { start: node.start } : {}, children(node, shift))
    case 'listItem':
      // A tight list has no paragraphs.
      return h('li', node.children.flatMap((child) => (child.type === 'paragraph' && !node.spread ? children(child, shift) : [draw(child, shift)])))
    case 'inlineCode':
      return h('code', node.value)
    case 'code':
      return h('pre', { tabindex: 0 }, h('code', node.value))
    case 'link':
      return isSafe(node.url) ? h('a', { href: node.url, target: '_blank', rel: 'noopener noreferrer nofollow' }, children(node, shift)) : h('span', children(node, shift))
    case 'image':
      return node.alt ?? ''
    case 'break':
      return h('br')
    case 'thematicBreak':
      return h('hr')
    case 'table':
      return h('div', { class: 'scroll', tabindex: 0 }, h('table', node.children.map((row, at) => h('tr', row.children.map((cell) => h(at ? 'td' : 'th', children(cell, shift)))))))
    default: {
      const name = plain[node.type]
      return 'children' in node ? (name ? h(name, children(node, shift)) : children(node, shift)) : ''
    }
  }
}
