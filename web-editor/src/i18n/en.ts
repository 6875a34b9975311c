import type { Texts } from './collect'

export default import.meta.glob<Texts>(['./common/en.json', '../features/*/i18n/en.json'], { eager: true, import: 'default' })
