import type { Texts } from './collect'

export default import.meta.glob<Texts>(['./common/fr.json', '../features/*/i18n/fr.json'], { eager: true, import: 'default' })
