import { z } from 'zod'
import type { Operation } from './admin-operations.ts'

type Json = Readonly<Record<string, unknown>>

const schemaOf = (schema: z.ZodType): Json => {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return json
}

/** The same with nothing required and null allowed everywhere: JSON Merge Patch (RFC 7396). */
const patchOf = (schema: Json): Json => {
  const { required: _, properties, ...rest } = schema
  const each = Object.entries((properties ?? {}) as Json).map(([name, value]) => [
    name,
    { anyOf: [value, { type: 'null' }] },
  ])
  return { ...rest, properties: Object.fromEntries(each) }
}

const json = (schema: Json) => ({ content: { 'application/json': { schema } } })
const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` })

const ERROR: Json = {
  type: 'object',
  required: ['error', 'error_description'],
  properties: {
    error: { type: 'string' },
    error_description: { type: 'string' },
    refusals: {
      type: 'array',
      items: {
        type: 'object',
        required: ['parameter', 'rule', 'fix'],
        properties: {
          parameter: { type: 'string' },
          value: { type: 'string' },
          rule: { type: 'string' },
          fix: { type: 'string' },
        },
      },
    },
  },
}

const ERRORS: readonly (readonly [status: string, description: string])[] = [
  ['400', 'Refused: each reason names the parameter, the rule and the fix'],
  ['401', 'No token, or none that is known'],
  ['404', 'There is no such client, token or reference number'],
  ['409', 'Changed by another meanwhile, or registered in the clients file'],
  ['412', 'Not at the revision that If-Match names'],
  ['413', 'The body is longer than 64 kB'],
  ['415', 'The body is not JSON'],
]

const parametersOf = ({ path, method, query }: Operation): readonly Json[] => {
  const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  const asked = query ? Object.entries((schemaOf(query).properties ?? {}) as Json) : []
  return [
    ...named,
    ...asked.map(([name, schema]) => ({ name, in: 'query', schema })),
    ...(path.startsWith('/clients/') && method !== 'get'
      ? [{ name: 'If-Match', in: 'header', schema: { type: 'string' } }]
      : []),
  ]
}

const operationOf = (operation: Operation): Json => {
  const { id, summary, status, body, merges } = operation
  const schema = body && schemaOf(body)
  return {
    operationId: id,
    summary,
    parameters: parametersOf(operation),
    ...(schema && {
      requestBody: { required: !merges, ...json(merges ? patchOf(schema) : schema) },
    }),
    responses: {
      [status]: {
        description: 'Done',
        ...(status !== 204 && json({ type: 'object' })),
      },
      ...Object.fromEntries(
        ERRORS.map(([code, description]) => [code, { description, ...json(ref('Error')) }]),
      ),
    },
  }
}

/** The admin API in OpenAPI 3.1, its bodies made of the very schemas that check them. */
export const openApiOf = (operations: readonly Operation[]): Json => {
  const paths: Record<string, Record<string, Json>> = {}
  for (const operation of operations) {
    const path = `/admin${operation.path}`
    paths[path] = { ...paths[path], [operation.method]: operationOf(operation) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Kenpo ID admin API',
      version: '1',
      description: 'Relying parties: registered, changed and removed. On the management port only.',
    },
    security: [{ operator: [] }],
    paths,
    components: {
      securitySchemes: { operator: { type: 'http', scheme: 'bearer' } },
      schemas: { Error: ERROR },
    },
  }
}
