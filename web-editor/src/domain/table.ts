import type { Json, JsonObject } from './workflow'

export interface Table {
  columns: string[]
  rows: string[][]
}

const bound = { rows: 200, columns: 24 }

const cellOf = (value: Json | undefined): string => {
  const text = value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 200 ? `${text.slice(0, 199)}…` : text
}

/** A list of objects, or one object, as rows. None where it is neither. */
export function tableOf(value: Json): Table | undefined {
  if (Array.isArray(value)) {
    const rows = value.slice(0, bound.rows)
    if (!rows.length || !rows.every((row) => typeof row === 'object' && row !== null && !Array.isArray(row))) return undefined
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row as JsonObject)))].slice(0, bound.columns)
    return { columns, rows: rows.map((row) => columns.map((column) => cellOf((row as JsonObject)[column]))) }
  }
  if (typeof value !== 'object' || value === null || !Object.keys(value).length) return undefined
  return { columns: ['', ' '], rows: Object.entries(value).slice(0, bound.rows).map(([key, one]) => [key, cellOf(one)]) }
}
