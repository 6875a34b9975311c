// Types of the API from the checked-in OpenAPI document. The result is not checked in: the document is the source.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import openapiTS, { astToString } from 'openapi-typescript'

const source = new URL('../../engine/windflow-server/openapi.json', import.meta.url)
const target = new URL('../src/api/generated/schema.ts', import.meta.url)

const text = astToString(await openapiTS(JSON.parse(await readFile(source, 'utf8'))))
await mkdir(new URL('.', target), { recursive: true })
if ((await readFile(target, 'utf8').catch(() => '')) !== text) await writeFile(target, text)
