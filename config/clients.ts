import type { FileClient } from '../clients/directory.ts'
import { refusalsOf } from '../clients/refusal.ts'
import { type ClientEntry, type ClientRules, clientSchema } from '../clients/schema.ts'
import type { Problem } from './problem.ts'

const DOOR = { unknown: 'refuse', secrets: 'given' } as const

const fileClient = (id: string, entry: ClientEntry): FileClient => {
  const { client_id: _, client_secret: secret, policy, ...metadata } = entry
  return {
    client: {
      id,
      metadata,
      policy,
      secrets: [],
      registeredAt: 0,
      updatedAt: 0,
      tokensSince: 0,
      revision: 0,
    },
    ...(secret !== undefined && { secret }),
  }
}

const parsed = (file: string, text: string, problems: Problem[]): readonly unknown[] => {
  try {
    const list: unknown = JSON.parse(text)
    if (Array.isArray(list)) return list
    const remedy = 'It must be a JSON array of clients.'
    problems.push({ name: file, rule: 'does not hold a list', remedy })
  } catch {
    problems.push({ name: file, rule: 'is not JSON', remedy: 'Check its commas and quotes.' })
  }
  return []
}

/**
 * Reads the clients file: a list of OpenID Connect client metadata (RFC 7591 section 2), each with
 * a `policy` member of ours and its secret. Adds what is wrong to `problems`.
 */
export const readClients = (
  { file, text, rules }: Readonly<{ file: string; text: string; rules: ClientRules }>,
  problems: Problem[],
): ReadonlyMap<string, FileClient> => {
  const schema = clientSchema(rules, DOOR)
  const clients = new Map<string, FileClient>()
  for (const [index, entry] of parsed(file, text, problems).entries()) {
    const given: unknown =
      typeof entry === 'object' && entry !== null && 'client_id' in entry
        ? entry.client_id
        : undefined
    const label = typeof given === 'string' && given !== '' ? given : `entry ${index + 1}`
    const fault = (place: string, rule: string, remedy: string) =>
      problems.push({ name: `${file}: ${label}:${place && ` ${place}`}`, rule, remedy })
    if (given === undefined) fault('"client_id"', 'is missing', 'Choose one.')
    if (clients.has(label)) {
      fault('', 'has a "client_id" that another entry has already', 'Give each entry its own.')
      continue
    }
    const result = schema.safeParse(entry)
    if (result.success) clients.set(label, fileClient(label, result.data))
    for (const found of refusalsOf(result.error, entry)) {
      const place = found.parameter && `"${found.parameter}"`
      fault([place, found.value].filter(Boolean).join(' '), found.rule, found.fix)
    }
  }
  return clients
}
