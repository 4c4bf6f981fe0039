import { beforeEach, describe, expect, test } from '@jest/globals'
import { type Member, replaceCredential } from '../../accounts/member.ts'
import type {
  Answer,
  Authentication,
  AuthenticationFactor,
  Ceremony,
  Challenge,
  Rejection,
  Verdict,
} from '../../factors/factor.ts'

/** A factor, two members who hold it, and their way of answering. */
export type FactorUnderTest<Shown, Kept> = Readonly<{
  factor: AuthenticationFactor<Shown, Kept>
  /** Both as stored, each with a secret of their own. */
  member: Member
  other: Member
  /** Where and when they sign in. */
  ceremony: Ceremony
  /** What this member in person answers to this challenge of theirs, then. */
  answer(
    member: Member,
    challenge: Challenge<Shown, Kept>,
    ceremony: Ceremony,
  ): Answer | Promise<Answer>
  /** A memorized secret: the same answer is right every time. */
  reusable?: true
  /** Answers that look like the right one and are not. */
  wrong(right: Answer): readonly Answer[]
}>

/** Every reason there is, as the compiler sees to. */
const REASONS = Object.keys({
  'login.bad': true,
  'code.empty': true,
  'code.len': true,
  'code.digits': true,
  'code.wrong': true,
  'code.expired': true,
  'totp.wrong': true,
  'totp.skew': true,
  'totp.used': true,
  'pk.failed': true,
  'pk.dup': true,
  'pk.gone': true,
  'recovery.format': true,
  'recovery.wrong': true,
  'pass.format': true,
  'pass.wrong': true,
} satisfies Record<Rejection, true>)

const GARBAGE: readonly string[] = [
  '',
  ' ',
  '\0',
  '\r\n\t\u001b[31m',
  '0',
  '000000',
  '-1',
  '+1e5',
  'NaN',
  'null',
  '{}',
  '[]',
  '{"id":{"$ne":null}}',
  '{"id":"","rawId":"","type":"public-key","response":{},"clientExtensionResults":{}}',
  '__proto__',
  'constructor',
  "' OR 1=1 --",
  '<script>alert(1)</script>',
  '١٢٣٤٥٦',
  '髙﨑𠮷👨‍👩‍👧',
  '\ud800',
  '\u202e123456',
  'A'.repeat(1_000_000),
  '9'.repeat(1_000_000),
  '－'.repeat(100_000),
  '['.repeat(100_000),
]

/** So that a factor which writes to what it was given fails. */
const frozen = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Buffer.isBuffer(value)) {
    for (const part of Object.values(value)) frozen(part)
    Object.freeze(value)
  }
  return value
}

/** As it comes back from a store. */
const stored = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

const outcomeOf = (verdict: Verdict<unknown>): string => (verdict.ok ? 'accepted' : verdict.reason)

/** What every factor must do when a member signs in with it. `make` is called for each test. */
export const factorContract = <Shown, Kept>(
  name: string,
  make: () => FactorUnderTest<Shown, Kept> | Promise<FactorUnderTest<Shown, Kept>>,
): void => {
  describe(`${name}, a factor`, () => {
    let under: FactorUnderTest<Shown, Kept>
    let challenge: Challenge<Shown, Kept>
    let right: Answer
    beforeEach(async () => {
      under = await make()
      const { factor, member, other, ceremony } = under
      frozen(member)
      frozen(other)
      challenge = await factor.beginAuthentication(member, ceremony)
      right = frozen(await under.answer(member, challenge, ceremony))
      frozen(challenge.kept)
    })

    const finish = (
      answer: Answer,
      {
        member = under.member,
        kept = challenge.kept,
        ceremony = under.ceremony,
      }: Readonly<{ member?: Member; kept?: Kept; ceremony?: Ceremony }> = {},
    ): Promise<Verdict<Authentication>> =>
      under.factor.finishAuthentication(member, kept, answer, ceremony)

    test('a right answer is accepted', async () => {
      expect(outcomeOf(await finish(right))).toBe('accepted')
    })

    test('what is kept of a challenge and what is left of it can be stored as JSON', async () => {
      expect(stored(challenge.kept)).toEqual(challenge.kept)
      const verdict = await finish(right, { kept: stored(challenge.kept) })
      if (!verdict.ok) throw new Error(verdict.reason)
      expect(stored(verdict.value)).toEqual(verdict.value)
      const { credential } = verdict.value
      if (credential) expect(under.member.credentials.map(({ id }) => id)).toContain(credential.id)
    })

    test('a wrong answer is refused with a reason and spoils nothing', async () => {
      const wrong = under.wrong(right)
      expect(wrong.length).toBeGreaterThan(0)
      for (const answer of wrong) {
        expect(answer).not.toEqual(right)
        expect(REASONS).toContain(outcomeOf(await finish(answer)))
      }
      expect(outcomeOf(await finish(right))).toBe('accepted')
    })

    test('a challenge is refused from the second its time is over, where it has one', async () => {
      const { ceremony, member } = under
      if (Object.keys(challenge.kept ?? {}).length === 0) {
        // Nothing is kept, so there is nothing to expire: a later answer of the member's is right.
        const later = { ...ceremony, now: ceremony.now + challenge.expiresInSeconds }
        const answer = await under.answer(member, challenge, later)
        expect(outcomeOf(await finish(answer, { ceremony: later }))).toBe('accepted')
        return
      }
      const last = ceremony.now + challenge.expiresInSeconds - 1
      expect(outcomeOf(await finish(right, { ceremony: { ...ceremony, now: last } }))).toBe(
        'accepted',
      )
      const over = { ...ceremony, now: last + 1 }
      expect(REASONS).toContain(outcomeOf(await finish(right, { ceremony: over })))
    })

    test('one member’s answer is refused to another', async () => {
      const { factor, other, ceremony } = under
      const theirs = await factor.beginAuthentication(other, ceremony)
      expect(REASONS).toContain(
        outcomeOf(await finish(right, { member: other, kept: theirs.kept })),
      )
      const own = await under.answer(other, theirs, ceremony)
      expect(outcomeOf(await finish(own, { member: other, kept: theirs.kept }))).toBe('accepted')
    })

    test('an accepted answer is not accepted at the next challenge, but for a memorized secret', async () => {
      const { factor, member, ceremony } = under
      const verdict = await finish(right)
      if (!verdict.ok) throw new Error(verdict.reason)
      const { credential } = verdict.value
      const after = credential ? replaceCredential(member, stored(credential)) : member
      const { kept } = await factor.beginAuthentication(after, ceremony)
      const again = outcomeOf(await finish(right, { member: after, kept }))
      if (under.reusable) expect(again).toBe('accepted')
      else expect(REASONS).toContain(again)
    })

    test('whatever is sent instead is refused, and nothing is thrown', async () => {
      expect(REASONS).toContain(outcomeOf(await finish({})))
      for (const field of Object.keys(right)) {
        for (const text of GARBAGE) {
          if (text === right[field]) continue
          expect(REASONS).toContain(outcomeOf(await finish({ ...right, [field]: text })))
        }
      }
    })
  })
}
