import { readFileSync } from 'node:fs'
import type { Plugin } from 'vite'

const languages = ['en', 'fr']
const escaped = (text: string) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
const logo = /<svg[^]*<\/svg>/

/**
 * The sign-in as a part of the page, in each language: on a slow line it is seen, and typed into, while the application is still on its way.
 * `public/theme.js` shows the one that is wanted, `src/app/first.ts` takes over what was typed, `src/styles/first.css` makes it look like the real one.
 */
function signIn(language: string): string {
  const read = (path: string) => readFileSync(new URL(`../src/${path}`, import.meta.url), 'utf8')
  const texts = JSON.parse(read(`features/auth/i18n/${language}.json`)) as Record<string, string>
  const text = (key: string) => escaped(texts[key] ?? '')
  const field = (type: string, autocomplete: string) =>
    `<div><label for="first-${type}-${language}">${text(type)}</label><input id="first-${type}-${language}" type="${type}" name="${type}" autocomplete="${autocomplete}"${type === 'email' ? ' autofocus' : ''} /></div>`
  const brand = `<div class="brand">${logo.exec(read('ui/LogoMark.vue'))?.[0] ?? ''}<span>WindFlow</span></div>`
  // A button that is disabled keeps the form from being sent by anybody but the application.
  return `<div class="first-page" lang="${language}"><div class="side"></div><main><section>${brand}<h1>${text('signIn')}</h1><p>${text('signInNote')}</p>
<form>${field('email', 'username')}${field('password', 'current-password')}<button type="submit" disabled>${text('signInAction')}</button></form>
<p class="link">${text('setupLink')}</p></section><div class="languages"></div></main></div>`
}

export const firstPaint: Plugin = {
  name: 'first-paint',
  transformIndexHtml: {
    order: 'post',
    // What is seen first waits for styles only: the application does not take the line from them.
    handler: (html) =>
      html
        .replace('<div id="app"></div>', `<div id="app">${languages.map(signIn).join('\n')}</div>`)
        .replace('<script type="module"', '$& fetchpriority="low"')
        .replaceAll('<link rel="modulepreload"', '$& fetchpriority="low"'),
  },
}
