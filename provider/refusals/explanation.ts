import type { Locale } from '../../accounts/member.ts'
import type { TransientStore } from '../../accounts/ports.ts'
import { type Finding, findRefusal, type RefusalRecord, readReference } from './record.ts'
import { RULES } from './rules.ts'

/** A finding in words; commands in them are for this client, where it is one of ours. */
const findingView = (
  { rule: id, parameter, received, expected, difference, said }: Finding,
  locale: Locale,
  clientId = 'ID',
) => {
  const { section, rule, fix } = RULES[id]
  return {
    rule: id,
    section,
    text: said ? `${rule[locale]} ${parameter} ${said.rule}.`.replace('  ', ' ') : rule[locale],
    ...(parameter !== '' && { parameter }),
    ...(received !== undefined && { received }),
    ...(expected && { expected }),
    ...(difference && { difference }),
    fix: said?.fix ?? fix[locale].replace('client update ID', `client update ${clientId}`),
  }
}
export type FindingView = ReturnType<typeof findingView>

/** A refusal as operators are shown it, in every door alike; the words are in this language. */
export const refusalView = (record: RefusalRecord, locale: Locale) => {
  const { reference, at, endpoint, error, description, client, findings } = record
  return {
    reference,
    at: new Date(at * 1000).toISOString(),
    endpoint,
    error,
    ...(description !== undefined && { error_description: description }),
    ...(client && {
      client_id: client.id,
      ...(client.name !== undefined && { client_name: client.name }),
      client_state: client.state,
    }),
    findings: findings.map((finding) =>
      findingView(finding, locale, client?.state === 'unknown' ? undefined : client?.id),
    ),
  }
}
export type RefusalView = ReturnType<typeof refusalView>

/** The refusal of a reference number as it was typed; undefined where there is no record of it. */
export const explainReference =
  (stores: Readonly<{ transient: TransientStore }>) =>
  async (typed: string, locale: Locale): Promise<RefusalView | undefined> => {
    const reference = readReference(typed)
    const record = reference === undefined ? undefined : await findRefusal(stores, reference)
    return record && refusalView(record, locale)
  }
