import type { Connection } from 'mongoose'
import { emailKey } from '../../accounts/email-address.ts'
import {
  DuplicateCredentialError,
  DuplicateLoginIdError,
  StaleMemberError,
} from '../../accounts/errors.ts'
import {
  type Block,
  type Credential,
  FACTOR_IDS,
  type InitialPassword,
  loginKey,
  type Member,
  type MemberId,
  type TermsAcceptance,
} from '../../accounts/member.ts'
import type { MemberStore } from '../../accounts/ports.ts'
import { DuplicateKeyError, type MongoConnection } from './connect.ts'
import {
  anything,
  checked,
  collectionOf,
  documentOf,
  flag,
  listOf,
  number,
  oneOf,
  partOf,
  required,
  text,
  trusted,
} from './schema.ts'

/** Members read at once by who goes through a whole society. */
const PAGE = 500

/** The aggregate, and beside it what its indexes stand on, made of it at each save. */
type MemberDocument = Omit<Member, 'id'> &
  Readonly<{
    _id: string
    loginKey: string
    /** IDs of the passkeys; missing where there are none. */
    passkeys?: readonly string[]
    /** `emailKey` of a first address that was proven. */
    verifiedEmail?: string
  }>

type KeyOf<T> = T extends unknown ? keyof T : never
/** One field for each that the type has, or one of its kinds: the compiler asks for what is missing. */
type FieldsOf<T> = Readonly<Record<KeyOf<T>, object>>
type Part<Field extends keyof Member> = FieldsOf<NonNullable<Member[Field]>>

const CREDENTIAL: FieldsOf<Credential> = {
  id: required(text),
  factor: required({ ...text, enum: FACTOR_IDS }),
  label: text,
  registeredAt: required(number),
  data: anything,
}

const TERMS_ACCEPTANCE: FieldsOf<TermsAcceptance> = {
  version: required(text),
  textHash: required(text),
  at: required(number),
  clientId: required(text),
}

const INSURED: Part<'insured'> = { symbol: required(text), number: required(text) }
const ADDRESS: FieldsOf<NonNullable<NonNullable<Member['profile']>['address']>> = {
  formatted: text,
  street_address: text,
  locality: text,
  region: text,
  postal_code: text,
  country: text,
}
const PROFILE: Part<'profile'> = {
  name: text,
  family_name: text,
  given_name: text,
  middle_name: text,
  nickname: text,
  preferred_username: text,
  'name#ja-Kana-JP': text,
  'family_name#ja-Kana-JP': text,
  'given_name#ja-Kana-JP': text,
  profile: text,
  picture: text,
  website: text,
  gender: text,
  zoneinfo: text,
  phone_number: text,
  phone_number_verified: { type: Boolean },
  address: partOf(ADDRESS),
  updated_at: number,
}
const EMAIL: Part<'email'> = { address: required(text), verifiedAt: number }
const SECOND_EMAIL: Part<'secondEmail'> = { address: required(text), verifiedAt: required(number) }
const UNDONE: FieldsOf<NonNullable<Member['undoneAddressChanges']>[number]> = {
  from: required(number),
  until: required(number),
}
const PASSWORD: Part<'password'> = {
  hash: required(text),
  initial: oneOf<InitialPassword>({ random: true, derived: true }),
  initialExpiresAt: number,
  changedAt: required(number),
  setByMailbox: flag,
}
const SIGNED_OUT: Part<'signedOut'> = { at: required(number), except: text }
const BEGUN_ANEW: Part<'begunAnew'> = { at: required(number), signIn: required(text) }
const DESK_PASS: Part<'deskPass'> = { hash: required(text), expiresAt: required(number) }
const PROOF: FieldsOf<NonNullable<Member['provenIn']>['proof']> = {
  factor: required({ ...text, enum: FACTOR_IDS }),
  at: required(number),
  synced: { type: Boolean },
}
const PROVEN_IN: Part<'provenIn'> = {
  signIn: required(text),
  proof: required({ type: partOf(PROOF) }),
}
const BLOCK_BEFORE: FieldsOf<NonNullable<Extract<Block, { under?: unknown }>['under']>> = {
  reason: required(oneOf({ emailChangeUndone: true })),
  since: required(number),
}
const BLOCKED: Part<'blocked'> = {
  reason: required(oneOf<Block['reason']>({ emailChangeUndone: true, disabled: true })),
  since: required(number),
  under: partOf(BLOCK_BEFORE),
}

const MEMBER: FieldsOf<MemberDocument> = {
  _id: required(text),
  societyId: required(text),
  loginId: required(text),
  loginKey: required(text),
  insured: partOf(INSURED),
  birthdate: required(text),
  locale: required(oneOf<Member['locale']>({ ja: true, en: true })),
  profile: partOf(PROFILE),
  email: partOf(EMAIL),
  verifiedEmail: text,
  secondEmail: partOf(SECOND_EMAIL),
  undoneAddressChanges: { ...listOf(partOf(UNDONE)), default: undefined },
  password: required({ type: partOf(PASSWORD) }),
  birthdateConfirmedAt: number,
  acceptedTerms: required(listOf(partOf(TERMS_ACCEPTANCE))),
  chosenFactor: oneOf<NonNullable<Member['chosenFactor']>>({
    passkey: true,
    totp: true,
    emailCode: true,
  }),
  credentials: required(listOf(partOf(CREDENTIAL))),
  passkeys: { ...listOf(text), default: undefined },
  recoveryCodesDue: flag,
  recoveryCodesPutOffAt: number,
  signedOut: partOf(SIGNED_OUT),
  begunAnew: partOf(BEGUN_ANEW),
  deskPass: partOf(DESK_PASS),
  methodsClearedAt: number,
  provenIn: partOf(PROVEN_IN),
  enrolledAt: number,
  enrolledIn: text,
  deviceOfferedAt: number,
  blocked: partOf(BLOCKED),
  revision: required(number),
}

const modelOn = (connection: Connection) =>
  connection.model<MemberDocument>('Member', documentOf(MEMBER), 'members')

const documentFrom = ({ id, ...member }: Member): MemberDocument => {
  const passkeys = member.credentials.flatMap((held) =>
    held.factor === 'passkey' ? [held.id] : [],
  )
  return {
    ...member,
    _id: id,
    loginKey: loginKey(member.loginId),
    ...(passkeys.length > 0 && { passkeys }),
    ...(member.email?.verifiedAt !== undefined && {
      verifiedEmail: emailKey(member.email.address),
    }),
  }
}

const memberFrom = (document: MemberDocument): Member => {
  const { _id, loginKey: _key, passkeys: _passkeys, verifiedEmail: _email, ...member } = document
  // Only `save` writes documents, and it takes nothing but a Member.
  return { ...member, id: _id as MemberId }
}

/**
 * Members in MongoDB: one document each, written whole and under its own revision, so that no
 * transaction is needed. What may be one member's only is kept so by unique indexes; see
 * migrations.ts.
 */
export const createMemberStore = ({
  connection,
  reach,
}: Pick<MongoConnection, 'connection' | 'reach'>): MemberStore => {
  const members = modelOn(connection)

  const isTaken = (filter: object): Promise<boolean> =>
    reach(async () => (await members.exists(filter).exec()) !== null)

  /** Which of the unique indexes it was: the server's own words are not asked, and do not tell. */
  const conflictOf = async (document: MemberDocument, member: Member): Promise<Error> => {
    const { _id, societyId, passkeys } = document
    if (member.revision === 0 && (await isTaken({ _id }))) return new StaleMemberError(_id)
    const others = { _id: trusted({ $ne: _id }) }
    if (await isTaken({ ...others, societyId, loginKey: document.loginKey })) {
      return new DuplicateLoginIdError(societyId)
    }
    if (passkeys && (await isTaken({ ...others, passkeys: trusted({ $in: passkeys }) }))) {
      return new DuplicateCredentialError(_id)
    }
    // Who held it has let go of it meanwhile: the same save may well be done now.
    return new StaleMemberError(_id)
  }

  const insert = async (document: MemberDocument): Promise<boolean> => {
    await collectionOf<MemberDocument>(members).insertOne(document)
    return true
  }
  const replace = async (document: MemberDocument, revision: number): Promise<boolean> => {
    const { _id, ...rest } = document
    const collection = collectionOf<MemberDocument>(members)
    const { matchedCount } = await collection.replaceOne({ _id, revision }, rest)
    return matchedCount === 1
  }

  return {
    findById: async (id) => {
      const found = await reach(() => members.findOne({ _id: id }).lean<MemberDocument>().exec())
      return found ? memberFrom(found) : undefined
    },

    findByLoginId: async (societyId, loginId) => {
      const filter = { societyId, loginKey: loginKey(loginId) }
      const found = await reach(() => members.findOne(filter).lean<MemberDocument>().exec())
      return found ? memberFrom(found) : undefined
    },

    findByVerifiedEmail: async (societyId, address) => {
      const found = await reach(() =>
        members
          .find({ societyId, verifiedEmail: emailKey(address) })
          .sort({ loginKey: 1 })
          .lean<MemberDocument[]>()
          .exec(),
      )
      return found.map(memberFrom)
    },

    ofSociety: async function* (societyId) {
      for (let after = ''; ; ) {
        const filter = { societyId, loginKey: trusted({ $gt: after }) }
        const page = await reach(() =>
          members.find(filter).sort({ loginKey: 1 }).limit(PAGE).lean<MemberDocument[]>().exec(),
        )
        for (const document of page) yield memberFrom(document)
        const last = page.at(-1)
        if (!last || page.length < PAGE) return
        after = last.loginKey
      }
    },

    save: async (member) => {
      const saved: Member = { ...member, revision: member.revision + 1 }
      const document = await reach(() => checked(members, documentFrom(saved)))
      let written: boolean
      try {
        written = await reach(() =>
          member.revision === 0 ? insert(document) : replace(document, member.revision),
        )
      } catch (error) {
        if (!(error instanceof DuplicateKeyError)) throw error
        throw await conflictOf(document, member)
      }
      if (!written) throw new StaleMemberError(member.id)
      return saved
    },
  }
}
