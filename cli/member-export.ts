import { heldMethods } from '../accounts/held-methods.ts'
import type { EpochSeconds, Locale, Member } from '../accounts/member.ts'
import type { Society } from '../accounts/society.ts'
import { japaneseDay } from '../interactions/wording.ts'
import { COLUMN_IDS, columnName, EXPORTED, EXPORTED_IDS } from './columns.ts'
import { createCsvFile } from './csv-file.ts'
import { audited, type DeskPorts, findSociety, operatorName } from './desk.ts'
import { cellsOf } from './import/profile.ts'

export type MemberState = 'new' | 'started' | 'enrolled' | 'blocked' | 'disabled'

const stateOf = (member: Member): MemberState => {
  if (member.blocked) return member.blocked.reason === 'disabled' ? 'disabled' : 'blocked'
  if (member.enrolledAt !== undefined) return 'enrolled'
  return member.birthdateConfirmedAt === undefined ? 'new' : 'started'
}

const day = (at: EpochSeconds | undefined): string => (at === undefined ? '' : japaneseDay(at))

/** One row: what an import takes, and how far the member has come. No secret. */
const rowOf = (member: Member, society: Society): readonly string[] => {
  const { email, insured, password } = member
  const cells: Readonly<Record<(typeof COLUMN_IDS)[number], string>> = {
    society: member.societyId,
    loginId: member.loginId,
    symbol: insured?.symbol ?? '',
    number: insured?.number ?? '',
    birthdate: member.birthdate,
    email: email?.address ?? '',
    locale: member.locale,
    ...cellsOf(member),
  }
  const more: Readonly<Record<(typeof EXPORTED_IDS)[number], string>> = {
    state: stateOf(member),
    emailConfirmed: day(email?.verifiedAt),
    methods: heldMethods(member, society.factors).join(' '),
    enrolledOn: day(member.enrolledAt),
    initialUntil:
      password.initial !== undefined && password.initialExpiresAt !== undefined
        ? day(password.initialExpiresAt - 1)
        : '',
  }
  return [...COLUMN_IDS.map((id) => cells[id]), ...EXPORTED_IDS.map((id) => more[id])]
}

/**
 * Writes the society's members into a new file, in the columns of an import and a few more. That
 * their data went out is written down at each member before the row is. @throws CommandError
 */
export const exportMembers = async (
  ports: DeskPorts,
  request: Readonly<{ societyId: string; operator: string; out: string; locale: Locale }>,
): Promise<string> => {
  const operator = operatorName(request.operator)
  const society = findSociety(ports, request.societyId)
  const { locale } = request
  const file = await createCsvFile(request.out, [
    ...COLUMN_IDS.map((id) => columnName(id, locale)),
    ...EXPORTED_IDS.map((id) => EXPORTED[id][locale]),
  ])
  let count = 0
  try {
    for await (const member of ports.members.ofSociety(society.id)) {
      await audited(ports, member, { act: 'memberExported', operator })
      await file.write(rowOf(member, society))
      count += 1
    }
  } finally {
    await file.close()
  }
  return locale === 'ja'
    ? `${count}人を ${request.out} に書き出しました。個人情報です。使い終わったら消してください。`
    : `${count} members are in ${request.out}. This is personal data: delete it after use.`
}
