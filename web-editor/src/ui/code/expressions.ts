import { autocompletion, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete'
import type { Extension } from '@codemirror/state'
import { Decoration, MatchDecorator, ViewPlugin, type DecorationSet, type EditorView, type ViewUpdate } from '@codemirror/view'
import { expressionBefore, suggest, type ExpressionScope } from '@/domain/completion'

const mark = Decoration.mark({ class: 'cm-expression' })
const decorator = new MatchDecorator({ regexp: /\$\{\{.*?\}\}/g, decoration: mark })

/** Shows `${{ … }}` in a colour of its own, wherever it stands. */
export const highlightExpressions: Extension = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet
    constructor(view: EditorView) {
      this.decorations = decorator.createDeco(view)
    }
    update(update: ViewUpdate) {
      this.decorations = decorator.updateDeco(update, this.decorations)
    }
  },
  { decorations: (plugin) => plugin.decorations },
)

/** Completes expressions from what there is: inputs, nodes, and what came out of them in the last run. */
export const completeExpression =
  (scope: () => ExpressionScope | undefined) =>
  (context: CompletionContext): CompletionResult | null => {
    const line = context.state.doc.lineAt(context.pos)
    const before = expressionBefore(context.state.sliceDoc(Math.max(line.from, context.pos - 4000), context.pos))
    const known = scope()
    if (before === undefined || !known) return null
    const { typed, suggestions } = suggest(before, known)
    if (!suggestions.length || (typed === 0 && !context.explicit && !/[.\s{(]$/.test(before))) return null
    return {
      from: context.pos - typed,
      options: suggestions.map(({ label, detail, boost }) => ({ label, ...(detail !== undefined && { detail }), ...(boost !== undefined && { boost }) })),
      validFor: /^\w*$/,
    }
  }

export const expressionCompletion = (scope: () => ExpressionScope | undefined): Extension =>
  autocompletion({ override: [completeExpression(scope)], icons: false })
