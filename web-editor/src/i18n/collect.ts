/** Texts of one language, nested by key. */
export interface Texts {
  [key: string]: string | Texts
}

/** `../features/<name>/i18n/en.json` becomes `{ <name>: … }`; those of `./common/` are shared. */
export function collect(files: Record<string, Texts>): Texts {
  const all: Texts = {}
  for (const [path, texts] of Object.entries(files)) {
    const feature = /features\/([^/]+)\//.exec(path)?.[1]
    if (feature) all[feature.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())] = texts
    else Object.assign(all, texts)
  }
  return all
}
