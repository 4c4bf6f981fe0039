import type { z } from 'zod'

/** One thing that is wrong with the configuration; never holds a secret's value. */
export type Problem = Readonly<{
  /** The variable, or the file and the place in it. */
  name: string
  /** What is broken, as the end of a sentence that starts with the name. */
  rule: string
  /** What to do about it, a sentence. */
  remedy: string
}>

/** The configuration cannot be used; the message lists every problem, one a line. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    const lines = problems.map(({ name, rule, remedy }) => `  - ${name} ${rule}. ${remedy}`)
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
    super(`The configuration has ${count}:\n${lines.join('\n')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** `['networks', 2, 'cidrs', 0]` as `networks[2].cidrs[0]`. */
const pathText = (path: readonly PropertyKey[]): string =>
  path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '')

const listed = (values: readonly unknown[]) => values.map((value) => String(value)).join(', ')

/** Words for the faults that zod finds by itself, so that no message repeats the value given. */
const ruleOf = (issue: z.core.$ZodRawIssue): string | undefined => {
  if (issue.code === 'invalid_type') {
    return issue.input === undefined ? 'is missing' : `must be of type ${issue.expected}`
  }
  if (issue.code === 'invalid_value') return `must be one of: ${listed(issue.values)}`
  if (issue.code === 'too_small') return `must have at least ${issue.minimum}`
  if (issue.code === 'too_big') return `must have at most ${issue.maximum}`
  if (issue.code === 'unrecognized_keys') return `has unknown members: ${listed(issue.keys)}`
  return undefined
}

/**
 * A JSON file that holds an array of entries, each checked by itself; `label` finds an entry's own
 * name for the messages. Adds to `problems` and returns the entries that are sound.
 */
export const readEntries = <Schema extends z.ZodType>(
  source: Readonly<{ file: string; text: string; idKey: string; schema: Schema }>,
  problems: Problem[],
): readonly z.output<Schema>[] => {
  const { file, text, idKey, schema } = source
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    problems.push({ name: file, rule: 'is not JSON', remedy: 'Check its commas and quotes.' })
    return []
  }
  if (!Array.isArray(parsed) || parsed.length === 0) {
    problems.push({
      name: file,
      rule: 'does not hold a list',
      remedy: 'It must be a JSON array with at least one entry.',
    })
    return []
  }
  const sound: z.output<Schema>[] = []
  const seen = new Set<unknown>()
  for (const [index, entry] of parsed.entries()) {
    const id: unknown = typeof entry === 'object' && entry !== null ? entry[idKey] : undefined
    const label = typeof id === 'string' && id !== '' ? id : `entry ${index + 1}`
    const result = schema.safeParse(entry, { error: ruleOf })
    if (seen.has(id)) {
      problems.push({
        name: `${file}: ${label}:`,
        rule: `has an "${idKey}" that another entry has already`,
        remedy: 'Give each entry its own.',
      })
    } else if (result.success) {
      sound.push(result.data)
    }
    seen.add(id)
    for (const issue of result.error?.issues ?? []) {
      const place = pathText(issue.path)
      problems.push({
        name: `${file}: ${label}:${place ? ` "${place}"` : ''}`,
        rule: issue.message,
        remedy: 'Correct the file.',
      })
    }
  }
  return sound
}
