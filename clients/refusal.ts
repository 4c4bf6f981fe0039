import type { z } from 'zod'

/** One thing that is wrong with a client's registration; holds no secret. */
export type Refusal = Readonly<{
  /** As in RFC 7591, with its place: `redirect_uris[0]`. Empty: the registration as a whole. */
  parameter: string
  /** As it was given, as JSON, cut after 200 characters; absent where it may be a secret. */
  value?: string
  /** The end of a sentence that starts with the parameter. */
  rule: string
  /** What to do about it, a sentence. */
  fix: string
}>

const SECRET_PARAMETERS = /^(client_secret|jwks|previous_client_secret)\b/
const VALUE_CHARACTERS = 200

/** `['redirect_uris', 0]` as `redirect_uris[0]`. */
const placeOf = (path: readonly PropertyKey[]): string =>
  path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '')

const at = (input: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, part) =>
      // Walks any JSON value; what is not there is undefined.
      typeof value === 'object' && value !== null ? Reflect.get(value, part) : undefined,
    input,
  )

/** A text for people, without what may be a password in an address. */
const shown = (value: unknown): string | undefined => {
  if (value === undefined) return undefined
  const text = JSON.stringify(value)?.replace(/\/\/[^/@\s"]*@/g, '//***@')
  return text === undefined || text.length <= VALUE_CHARACTERS
    ? text
    : `${text.slice(0, VALUE_CHARACTERS)}…`
}

const listed = (values: readonly unknown[]): string => values.map(String).join(', ')

/** The words for what zod finds by itself; no message of its own repeats a value. */
const wordsFor = (
  issue: z.core.$ZodIssue,
  value: unknown,
): Readonly<{ rule: string; fix: string }> => {
  if (issue.code === 'custom') {
    const fix: unknown = issue.params?.fix
    return { rule: issue.message, fix: typeof fix === 'string' ? fix : 'Correct it.' }
  }
  if (value === undefined) return { rule: 'is missing', fix: 'Give it.' }
  switch (issue.code) {
    case 'invalid_type':
      return { rule: `is not of type ${issue.expected}`, fix: `Give a value of that type.` }
    case 'invalid_value':
      return {
        rule: `is none of: ${listed(issue.values)}`,
        fix: issue.values.length === 1 ? 'Give that value.' : 'Choose one of these.',
      }
    case 'unrecognized_keys':
      return {
        rule: `has unknown members: ${listed(issue.keys)}`,
        fix: 'Correct the spelling, or leave them out.',
      }
    case 'too_small':
      return { rule: `has less than ${issue.minimum}`, fix: `Give at least ${issue.minimum}.` }
    case 'too_big':
      return { rule: `has more than ${issue.maximum}`, fix: `Give at most ${issue.maximum}.` }
    default:
      return { rule: issue.message, fix: 'Correct it.' }
  }
}

/** What a schema of ours found wrong with `input`, one by one. */
export const refusalsOf = (error: z.ZodError | undefined, input: unknown): readonly Refusal[] =>
  (error?.issues ?? []).map((issue) => {
    const parameter = placeOf(issue.path)
    const value = at(input, issue.path)
    const text =
      parameter === '' || issue.code === 'unrecognized_keys' || SECRET_PARAMETERS.test(parameter)
        ? undefined
        : shown(value)
    return { parameter, ...(text !== undefined && { value: text }), ...wordsFor(issue, value) }
  })

/** One line for people: `redirect_uris[0] "http://…" is not https. Use …` */
export const refusalText = ({ parameter, value, rule, fix }: Refusal): string =>
  [parameter || 'the registration', ...(value === undefined ? [] : [value]), `${rule}.`, fix].join(
    ' ',
  )

/** A registration that is refused, for every reason there is. The same in every door. */
export class ClientRefusedError extends Error {
  readonly refusals: readonly Refusal[]

  constructor(refusals: readonly Refusal[]) {
    super(refusals.map(refusalText).join('\n'))
    this.name = 'ClientRefusedError'
    this.refusals = refusals
  }
}

/** One reason to refuse, where no schema has found it. */
export const refused = (parameter: string, rule: string, fix: string, value?: unknown) => {
  const text = shown(value)
  return new ClientRefusedError([
    { parameter, ...(text !== undefined && { value: text }), rule, fix },
  ])
}

/** Says it inside a schema: `rule` ends a sentence that starts with the parameter. */
export const addFault = (
  context: z.core.ParsePayload,
  { rule, fix, path }: Readonly<{ rule: string; fix: string; path?: PropertyKey[] }>,
): void => {
  context.issues.push({
    code: 'custom',
    message: rule,
    params: { fix },
    // The other rules are looked at all the same.
    continue: true,
    input: context.value,
    ...(path && { path }),
  })
}

/** The value by its schema. @throws ClientRefusedError */
export const checked = <Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
): z.output<Schema> => {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  throw new ClientRefusedError(refusalsOf(result.error, input))
}
