import { i18n } from '@/i18n'

/** A duration in milliseconds, as short as it can be read: `23 ms`, `1.4 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`; in French `1,4 s` and `3 j 4 h`. */
export function duration(ms: number, language: string = i18n.global.locale.value): string {
  if (!Number.isFinite(ms) || ms < 0) return '–'
  if (ms < 1) return '<1 ms'
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = ms / 1000
  if (seconds < 59.95) return `${seconds < 10 ? decimal(seconds, language) : Math.round(seconds)} s`
  const whole = Math.round(seconds)
  const pair = (big: number, bigUnit: string, small: number, smallUnit: string) =>
    small ? `${big} ${bigUnit} ${small} ${smallUnit}` : `${big} ${bigUnit}`
  if (whole < 3600) return pair(Math.floor(whole / 60), 'min', whole % 60, 's')
  const minutes = Math.round(whole / 60)
  if (minutes < 1440) return pair(Math.floor(minutes / 60), 'h', minutes % 60, 'min')
  const hours = Math.round(minutes / 60)
  return pair(Math.floor(hours / 24), language === 'fr' ? 'j' : 'd', hours % 24, 'h')
}

const decimal = (number: number, language: string) => new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(number)

/** A moment as people write it in their language. */
export const moment = (at: number, language: string): string =>
  new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' }).format(at)

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
]

/** How long ago, or how soon: `3 minutes ago`. */
export function relative(at: number, language: string, now = Date.now()): string {
  const away = at - now
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
  const [unit, size] = steps.find(([, step]) => Math.abs(away) >= step) ?? ['second', 1000]
  return format.format(Math.round(away / size), unit)
}

const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const

/** A size as people read it: `7.8 GB`. */
export function bytes(count: number, language: string): string {
  const at = count > 0 ? Math.min(units.length - 1, Math.floor(Math.log10(count) / 3)) : 0
  return new Intl.NumberFormat(language, { style: 'unit', unit: units[at], unitDisplay: at ? 'short' : 'long', maximumFractionDigits: 1 }).format(count / 1000 ** at)
}

/** Whoever did something, without saying whether it was a person or a key. */
export const person = (by: string): string => by.replace(/^(user|key):/, '')
