import presetIcons from '@unocss/preset-icons'
import presetWind4 from '@unocss/preset-wind4'
import type { UserConfig } from '@unocss/core'

/** Colours are roles; their values for both themes are in src/styles/tokens.css. */
const role = (name: string) => `var(--${name})`

const config: UserConfig = {
  content: { pipeline: { include: [/\.(vue|ts)($|\?)/] } },
  presets: [
    presetWind4({ preflights: { reset: false } }),
    presetIcons({ scale: 1, extraProperties: { display: 'inline-block', 'flex-shrink': '0', 'vertical-align': '-0.14em' } }),
  ],
  theme: {
    colors: {
      page: role('page'),
      surface: role('surface'),
      raised: role('raised'),
      sunken: role('sunken'),
      line: role('line'),
      ink: role('ink'),
      soft: role('ink-soft'),
      faint: role('ink-faint'),
      accent: role('accent'),
      good: role('good'),
      bad: role('bad'),
      busy: role('busy'),
      warn: role('warn'),
    },
    font: {
      sans: "'Geist Variable', 'Geist Near', 'Geist Near Wide', system-ui, 'Segoe UI', Roboto, sans-serif",
      mono: "'Geist Mono Variable', ui-monospace, 'SF Mono', Menlo, Consolas, monospace",
    },
  },
  shortcuts: {
    page: 'mx-auto w-full max-w-[1280px] px-6 py-6 lt-sm:px-4',
    panel: 'bg-surface border border-solid border-line rounded-lg',
    'text-title': 'text-[19px] leading-7 font-600 text-ink tracking-[-0.012em]',
    'text-heading': 'text-[14px] leading-5 font-600 text-ink',
    'text-label': 'text-[12px] leading-4 font-500 text-soft',
    'text-note': 'text-[12.5px] leading-[18px] text-soft',
    code: 'font-mono text-[12.5px]',
    'icon-button':
      'inline-flex items-center justify-center w-8 h-8 rounded-md text-soft bg-transparent border-0 cursor-pointer hover:bg-sunken hover:text-ink disabled:opacity-40 disabled:cursor-not-allowed',
    'tool-button': 'grid place-items-center w-6 h-6 p-0 border-0 rounded-[5px] bg-transparent text-soft text-[14px] cursor-pointer hover:bg-sunken hover:text-ink',
    row: 'flex items-center gap-2',
    truncate: 'overflow-hidden text-ellipsis whitespace-nowrap',
    'sr-only': 'absolute w-px h-px p-0 -m-px overflow-hidden whitespace-nowrap border-0 [clip-path:inset(50%)]',
  },
}

export default config
