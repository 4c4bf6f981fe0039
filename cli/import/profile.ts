import type { Member, Profile } from '../../accounts/member.ts'

/** The columns of which a member's profile is made. */
const PROFILE_COLUMNS = ['name', 'kana', 'phone', 'postalCode', 'address'] as const
export type ProfileColumn = (typeof PROFILE_COLUMNS)[number]
type Cells = Readonly<Record<ProfileColumn, string>>

const POSTAL_CODE = /^(\d{3})-?(\d{4})$/u
const JAPAN = '+81'

/** A number in Japan, or in full with its country, in E.164; undefined: it is none. */
export const readPhone = (text: string): string | undefined => {
  const digits = text.replace(/[\s()-]/gu, '')
  if (/^0\d{9,10}$/u.test(digits)) return `${JAPAN}${digits.slice(1)}`
  return /^\+[1-9]\d{6,14}$/u.test(digits) ? digits : undefined
}

/** 100-0001; undefined: it is no postal code. */
export const readPostalCode = (text: string): string | undefined => {
  const [, area, rest] = POSTAL_CODE.exec(text) ?? []
  return area === undefined ? undefined : `${area}-${rest}`
}

/** The profile as a file has it: a number in Japan as it is dialled there. */
export const cellsOf = ({ profile }: Pick<Member, 'profile'>): Cells => ({
  name: profile?.name ?? '',
  kana: profile?.['name#ja-Kana-JP'] ?? '',
  phone: profile?.phone_number?.replace(JAPAN, '0') ?? '',
  postalCode: profile?.address?.postal_code ?? '',
  address: profile?.address?.formatted ?? '',
})

/** What sound cells say of a member; undefined where all are empty. */
export const profileOf = (cells: Cells): Profile | undefined => {
  const { name, kana, phone, postalCode, address } = cells
  const number = readPhone(phone)
  const code = readPostalCode(postalCode)
  if (!Object.values(cells).some((cell) => cell !== '')) return undefined
  return {
    ...(name !== '' && { name }),
    ...(kana !== '' && { 'name#ja-Kana-JP': kana }),
    ...(number !== undefined && { phone_number: number, phone_number_verified: false }),
    ...((address !== '' || code !== undefined) && {
      address: {
        ...(address !== '' && { formatted: address }),
        ...(code !== undefined && { postal_code: code }),
        country: 'JP',
      },
    }),
  }
}

/** The profile with what a row says laid over it, and the columns that it changes. */
export const mergeProfile = (
  member: Pick<Member, 'profile'>,
  said: Profile,
): Readonly<{ profile: Profile; changed: readonly ProfileColumn[] }> => {
  const address = { ...member.profile?.address, ...said.address }
  const { phone_number: number, phone_number_verified: verified } = member.profile ?? {}
  const profile: Profile = {
    ...member.profile,
    ...said,
    ...(Object.keys(address).length > 0 && { address }),
    // The same number is no less confirmed for being told again.
    ...(number !== undefined &&
      number === (said.phone_number ?? number) &&
      verified !== undefined && { phone_number_verified: verified }),
  }
  const [before, after] = [cellsOf(member), cellsOf({ profile })]
  return { profile, changed: PROFILE_COLUMNS.filter((column) => before[column] !== after[column]) }
}
