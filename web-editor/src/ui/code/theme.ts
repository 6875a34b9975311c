import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import type { Extension } from '@codemirror/state'
import { EditorView } from '@codemirror/view'
import { tags } from '@lezer/highlight'

const look = EditorView.theme({
  '&': { color: 'var(--ink)', backgroundColor: 'transparent', fontSize: '12.5px', height: '100%' },
  '.cm-scroller': { fontFamily: 'var(--font-mono)', lineHeight: '19px' },
  '&.cm-focused': { outline: 'none' },
  '.cm-content': { caretColor: 'var(--ink)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-gutters': { backgroundColor: 'transparent', color: 'var(--ink-faint)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--sunken) 60%, transparent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    background: 'color-mix(in srgb, var(--accent) 24%, transparent) !important',
  },
  '.cm-tooltip': { border: '1px solid var(--line)', borderRadius: '7px', backgroundColor: 'var(--raised)', color: 'var(--ink)', boxShadow: 'var(--shadow-2)' },
  '.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--font-mono)', fontSize: '12.5px' },
  '.cm-tooltip-autocomplete > ul > li': { padding: '3px 10px' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { background: 'var(--accent-wash)', color: 'var(--ink)' },
  '.cm-completionDetail': { color: 'var(--ink-soft)', fontStyle: 'normal', marginLeft: '1em' },
  '.cm-completionIcon': { display: 'none' },
  '.cm-diagnostic': { padding: '6px 10px', fontFamily: 'var(--font-sans)', borderLeft: '3px solid var(--bad)' },
  '.cm-diagnostic-warning': { borderLeftColor: 'var(--warn)' },
  '.cm-panels': { backgroundColor: 'var(--surface)', color: 'var(--ink)' },
  '.cm-panels.cm-panels-bottom': { borderTop: '1px solid var(--line)' },
  '.cm-panel.cm-search': { padding: '8px 40px 8px 12px', fontFamily: 'var(--font-sans)' },
  '.cm-panel.cm-search label': { display: 'inline-flex', alignItems: 'center', gap: '5px', margin: '2px 10px 2px 2px', fontSize: '12.5px', color: 'var(--ink-soft)' },
  '.cm-panel.cm-search input[type=checkbox]': { margin: '0', accentColor: 'var(--accent)' },
  '.cm-panel.cm-search [name=close]': { top: '6px', right: '8px', width: '28px', height: '28px', borderRadius: '6px', fontSize: '18px', color: 'var(--ink-soft)', cursor: 'pointer' },
  '.cm-panel.cm-search [name=close]:hover': { backgroundColor: 'var(--sunken)' },
  '.cm-textfield': { width: '220px', maxWidth: '100%', height: '28px', margin: '2px 6px 2px 0', padding: '0 8px', border: '1px solid var(--line-strong)', borderRadius: '6px', backgroundColor: 'var(--surface)', color: 'var(--ink)', fontSize: '12.5px' },
  '.cm-button': { height: '28px', margin: '2px 6px 2px 0', padding: '0 10px', border: '1px solid var(--line)', borderRadius: '6px', backgroundImage: 'none', backgroundColor: 'var(--raised)', color: 'var(--ink)', fontFamily: 'inherit', fontSize: '12.5px', cursor: 'pointer' },
  '.cm-button:hover': { backgroundColor: 'var(--sunken)' },
  '.cm-button:active': { backgroundImage: 'none' },
  '.cm-searchMatch': { backgroundColor: 'var(--warn-wash)' },
  '.cm-placeholder': { color: 'var(--ink-faint)' },
  '.cm-node': { boxShadow: 'inset 2px 0 0 var(--accent)' },
  '.cm-expression': { color: 'var(--kind-ai)' },
  '.cm-collapsedLines': { background: 'var(--sunken)', color: 'var(--ink-soft)', padding: '2px 12px' },
  '.cm-collapsedLines::before, .cm-collapsedLines::after': { content: '""' },
  '.cm-changedLine': { backgroundColor: 'var(--good-wash)' },
  '.cm-deletedChunk': { backgroundColor: 'var(--bad-wash)' },
})

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--kind-network)' },
  { tag: [tags.string, tags.content], color: 'var(--ink)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--kind-deploy)' },
  { tag: tags.keyword, color: 'var(--kind-logic)' },
  { tag: [tags.comment, tags.lineComment], color: 'var(--ink-faint)', fontStyle: 'italic' },
  { tag: [tags.punctuation, tags.separator, tags.bracket], color: 'var(--ink-soft)' },
])

export const theme: Extension = [look, syntaxHighlighting(colours)]
