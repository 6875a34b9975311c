// Puts the reference of the API beside the editor: our page, and the two files of Swagger UI that it needs.
import { copyFile, mkdir, readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const to = here('../dist/api-docs/')
await mkdir(to, { recursive: true })
for (const name of await readdir(here('../api-docs/'))) {
  await copyFile(here(`../api-docs/${name}`), to + name)
}
for (const name of ['swagger-ui-bundle.js', 'swagger-ui.css']) {
  await copyFile(here(`../node_modules/swagger-ui-dist/${name}`), to + name)
}
