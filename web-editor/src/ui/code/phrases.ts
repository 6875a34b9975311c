import { EditorState, type Extension } from '@codemirror/state'
import { i18n } from '@/i18n'

/** What CodeMirror shows or says by itself, in French; English is its own. */
export const french: Readonly<Record<string, string>> = {
  'Find': 'Rechercher',
  'Replace': 'Remplacer',
  'next': 'suivant',
  'previous': 'précédent',
  'all': 'tous',
  'match case': 'respecter la casse',
  'regexp': 'expression régulière',
  'by word': 'mots entiers',
  'replace': 'remplacer',
  'replace all': 'tout remplacer',
  'close': 'fermer',
  'current match': 'résultat actuel',
  'on line': 'à la ligne',
  'replaced $ matches': '$ résultats remplacés',
  'replaced match on line $': 'résultat remplacé à la ligne $',
  'Go to line': 'Aller à la ligne',
  'go': 'y aller',
  'Diagnostics': 'Problèmes',
  'No diagnostics': 'Aucun problème',
  'Completions': 'Propositions',
  'Fold line': 'Replier la ligne',
  'Unfold line': 'Déplier la ligne',
  'Folded lines': 'Lignes repliées',
  'Unfolded lines': 'Lignes dépliées',
  'to': 'à',
  'folded code': 'texte replié',
  'unfold': 'déplier',
  'Control character': 'Caractère de contrôle',
  'Selection deleted': 'Sélection supprimée',
  'Revert this chunk': 'Reprendre cette partie',
}

/** CodeMirror's own words in the language of the page, as it is when an editor is made. */
export const phrases = (): Extension => (i18n.global.locale.value === 'fr' ? EditorState.phrases.of(french) : [])
