import { bodyParser } from '@koa/bodyparser'
import { z } from 'zod'

/** Flat forms only: 16 KB at most, parsed once, never JSON. */
export const parseForm = bodyParser({
  enableTypes: ['form'],
  formLimit: '16kb',
  encoding: 'utf-8',
})

/** Longest value of each field, in characters; `optional` where a browser may leave it out. */
export type Fields = Readonly<Record<string, Readonly<{ max: number; optional?: true }>>>
export type Form = Readonly<Record<string, string>>

/** What a form's page has put into it: see csrf.ts. */
export const TOKEN: Fields = { csrf: { max: 200, optional: true } }

/** zod compiles a schema when it first parses by it, which takes longer than many forms. */
const schemas = new WeakMap<Fields, z.ZodType<Readonly<Record<string, string | undefined>>>>()

const schemaOf = (fields: Fields) => {
  const known = schemas.get(fields)
  if (known) return known
  const shape = Object.entries(fields).map(([name, { max, optional }]) => {
    const text = z.string().max(max)
    return [name, optional ? text.optional() : text] as const
  })
  const schema = z.object(Object.fromEntries(shape))
  schemas.set(fields, schema)
  return schema
}

/**
 * The form's fields as strings, or undefined where one is missing, repeated, too long or no string
 * (a repeated field arrives as an array, a nested one as an object). Other fields are dropped.
 */
export const readForm = (fields: Fields, body: unknown): Form | undefined => {
  const parsed = schemaOf(fields).safeParse(body ?? {})
  if (!parsed.success) return undefined
  return Object.fromEntries(
    Object.entries(parsed.data).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  )
}
