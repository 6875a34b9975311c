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

// The texts come beside the application, which would ask for them only when it runs.
const language = [kept.language, ...navigator.languages].map((tag) => (tag || '').slice(0, 2).toLowerCase()).find((tag) => page?.dataset[tag])
const texts = page?.dataset[language || 'en']
if (texts) document.head.append(Object.assign(document.createElement('link'), { rel: 'modulepreload', href: texts }))
