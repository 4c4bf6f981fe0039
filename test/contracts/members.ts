import type { Member, MemberId } from '../../accounts/member.ts'

/** A member as the society registers one, not saved yet. */
export const aMember = (fields: Partial<Omit<Member, 'id'>> & { id?: string } = {}): Member => {
  const { id = 'member-1', ...rest } = fields
  return {
    societyId: 'kita',
    loginId: 'A-0001',
    birthdate: '1985-04-01',
    locale: 'ja',
    password: {
      hash: '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA',
      initial: 'random',
      changedAt: 1_800_000_000,
    },
    acceptedTerms: [],
    credentials: [],
    revision: 0,
    ...rest,
    id: id as MemberId,
  }
}
