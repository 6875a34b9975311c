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
