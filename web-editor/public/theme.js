// Before the first paint, so that a dark screen does not flash white. A file of its own: inline scripts are forbidden.
try {
  const wanted = JSON.parse(localStorage.getItem('windflow.preferences') || '{}').theme || 'system'
  const dark = wanted === 'dark' || (wanted === 'system' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.classList.toggle('dark', dark)
} catch {
  // Without storage the screen is light until the application has started.
}
