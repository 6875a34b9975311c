// Before the first paint, so that a dark screen does not flash white. A file of its own: inline scripts are forbidden.
const page = document.currentScript
let kept = {}
try {
  kept = JSON.parse(localStorage.getItem('windflow.preferences') || '{}')
} catch {
  // Without storage it is as the system says.
}
const wanted = kept.theme || 'system'
document.documentElement.classList.toggle('dark', wanted === 'dark' || (wanted === 'system' && matchMedia('(prefers-color-scheme: dark)').matches))

// Whoever is not signed in sees the sign-in at once, which is part of the page; `mayGoOn` of src/api/session.ts reads the same.
let stranger = false
try {
  stranger = localStorage.getItem('windflow.session') === null
} catch {
  // Whether somebody is signed in is known when the server is asked.
}
// The texts come beside the application, which would ask for them only when it runs.
const language = [kept.language, ...navigator.languages].map((tag) => (tag || '').slice(0, 2).toLowerCase()).find((tag) => page?.dataset[tag])
if (stranger && location.pathname !== '/set-up' && !/[?&]ended=/.test(location.search)) document.documentElement.dataset.first = language || 'en'
const texts = page?.dataset[language || 'en']
if (texts) document.head.append(Object.assign(document.createElement('link'), { rel: 'modulepreload', fetchPriority: 'low', href: texts }))

// A file of the page that did not come is asked for again with the page: the network changed while it was under way, as it does on a machine where
// containers come and go. At once, and then every ten seconds. When the application is there it mends that itself (`mayReload` of src/app/parts.ts).
const missing = () => document.querySelector('#app > .first-page') || !document.getElementById('app')
addEventListener(
  'error',
  ({ target }) => {
    if (!(target instanceof HTMLScriptElement || target instanceof HTMLLinkElement) || !missing()) return
    let last = Date.now()
    try {
      const before = Number(sessionStorage.getItem('windflow.reloaded'))
      sessionStorage.setItem('windflow.reloaded', String(Date.now()))
      last = before
    } catch {
      // Where nothing can be kept nobody would know when it was: not at once.
    }
    setTimeout(() => missing() && location.reload(), Math.max(0, last + 10_000 - Date.now()))
  },
  true,
)
