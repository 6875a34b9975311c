// Makes the application one that can be installed. It keeps two things only: files whose names hold a digest of their
// content, and the page that says that the server is gone. What the API says is never kept: nothing here can be stale.
const kept = 'windflow-1'
const gone = '/offline.html'

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(kept).then((cache) => cache.add(gone)))
  self.skipWaiting()
})

self.addEventListener('activate', (event) => {
  const old = (names) => Promise.all(names.filter((name) => name !== kept).map((name) => caches.delete(name)))
  event.waitUntil(caches.keys().then(old).then(() => self.clients.claim()))
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== self.location.origin) return
  if (pathname.startsWith('/assets/')) event.respondWith(once(event))
  // Programs' addresses are none of ours, whoever opens them.
  else if (request.mode === 'navigate' && !/^\/(api|hooks|callbacks)\//.test(pathname)) event.respondWith(asked(request).catch(() => caches.match(gone)))
})

/** A second time where the network changed under way, as it does on a machine where containers come and go. */
const asked = (request) => fetch(request).catch(() => fetch(request))

/** A file of this name never changes: it is asked for once. */
async function once(event) {
  const { request } = event
  // A disk that takes its time must not keep the page from coming over the network.
  const late = new Promise((done) => setTimeout(done, 300))
  const known = await Promise.race([caches.match(request).catch(() => undefined), late])
  if (known) return known
  const answer = await asked(request)
  // Nobody waits for it to be kept, and a disk that is full is no reason to show nothing.
  if (answer.ok) event.waitUntil(keep(request, answer.clone()).catch(() => undefined))
  return answer
}

async function keep(request, answer) {
  const cache = await caches.open(kept)
  await cache.put(request, answer)
  await forget(cache)
}

/** Of older releases nothing stays for long: the first that came are the first that go. */
async function forget(cache, most = 300) {
  const names = await cache.keys()
  const assets = names.filter(({ url }) => url.includes('/assets/'))
  await Promise.all(assets.slice(0, Math.max(0, assets.length - most)).map((name) => cache.delete(name)))
}
