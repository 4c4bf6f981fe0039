import { IdentityError } from './errors.ts'
import { type EpochSeconds, type InitialPassword, type Member, signOut } from './member.ts'

/** Lower case and digits only, none that look alike in print, no vowels: no word comes up. */
const PRINTED = 'bcdfghjkmnprstvwxy2345678'
const CHARACTERS = 12
const GROUP = /.{4}(?=.)/g
/** Bytes beyond the last whole multiple of the characters are thrown away: all are as likely. */
const FIRST_UNFAIR = 256 - (256 % PRINTED.length)
const MOST_DRAWS = 1000

/**
 * A password to be printed on a postcard and typed once from it: `k4hn-7wtx-3gpb`, 55 bits strong.
 * @throws IdentityError `random_source` where the bytes are no random ones
 */
export const generateInitialPassword = (randomBytes: (size: number) => Uint8Array): string => {
  let drawn = ''
  for (let draws = 0; drawn.length < CHARACTERS; draws += 1) {
    if (draws >= MOST_DRAWS) throw new IdentityError('random_source', 500, 'bytes never in range')
    for (const byte of randomBytes(CHARACTERS)) {
      if (byte < FIRST_UNFAIR) drawn += PRINTED[byte % PRINTED.length]
    }
  }
  return drawn.slice(0, CHARACTERS).replace(GROUP, '$&-')
}

/** The legacy rule: the insured's symbol, number and birthdate (YYYYMMDD), which is guessable. */
export const deriveInitialPassword = (
  { symbol, number }: NonNullable<Member['insured']>,
  birthdate: string,
): string => `${symbol}${number}${birthdate.replaceAll('-', '')}`

const DAY = 86_400
const JAPAN_AHEAD = 9 * 3600

/** The end, in Japan, of the day that is `days` from now: a postcard names a day, not an hour. */
export const endOfDayIn = (days: number, now: EpochSeconds): EpochSeconds =>
  (Math.floor((now + JAPAN_AHEAD) / DAY) + days + 1) * DAY - JAPAN_AHEAD

/** A password that the society gives out, as the record keeps it. */
export type IssuedPassword = Readonly<{
  hash: string
  initial: InitialPassword
  at: EpochSeconds
  expiresAt?: EpochSeconds
}>

export const issuedPassword = (issued: IssuedPassword): Member['password'] => ({
  hash: issued.hash,
  initial: issued.initial,
  ...(issued.expiresAt !== undefined && { initialExpiresAt: issued.expiresAt }),
  changedAt: issued.at,
})

/**
 * The desk gives the member another initial password: every sign-in ends, and an unfinished first
 * login may begin anew. The methods stay, and are asked for before the member sets a password of
 * their own.
 */
export const reissuePassword = (member: Member, issued: IssuedPassword): Member => {
  const { birthdateConfirmedAt: confirmed, ...rest } = member
  return {
    ...signOut(rest, issued.at),
    ...(member.enrolledAt !== undefined && confirmed !== undefined
      ? { birthdateConfirmedAt: confirmed }
      : {}),
    password: issuedPassword(issued),
  }
}
