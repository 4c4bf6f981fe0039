import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { member, pageRules } from './drivers/page-rules.ts'
import { client } from './relying-party.ts'

/** A file or option that cannot be used; the message says which and how to mend it. */
export class UsageError extends Error {}

/** `--client`: the relying parties as they stand at the provider, with their secrets. */
export const clientsFile = z.strictObject({ clients: z.array(client) })

/** `--member`: who signs in, and how the provider's pages are answered where not as ours are. */
export const membersFile = z.strictObject({
  members: z.array(member).min(1),
  pages: pageRules.exactOptional(),
})

/** @throws UsageError */
export const readJson = <T>(path: string, schema: z.ZodType<T>): T => {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new UsageError(`${path}: ${error instanceof Error ? error.message : String(error)}`)
  }
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const problems = result.error.issues.map((one) => `${one.path.join('.') || 'it'}: ${one.message}`)
  throw new UsageError(`${path}: ${problems.join('; ')}`)
}
