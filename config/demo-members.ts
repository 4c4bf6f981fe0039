import { DuplicateLoginIdError, StaleMemberError } from '../accounts/errors.ts'
import type {
  EpochSeconds,
  InitialPassword,
  Member,
  MemberId,
  Profile,
} from '../accounts/member.ts'
import type { MemberStore } from '../accounts/ports.ts'
import { type Localized, type Society, termsHash } from '../accounts/society.ts'
import type { ClientFile } from './index.ts'

/** How far a demo member has come. */
type Progress = 'new' | 'halfway' | 'enrolled'

/** A fictional member with a password that everybody may know. */
export type DemoMember = Readonly<{
  societyId: string
  loginId: string
  password: string
  /** YYYY-MM-DD */
  birthdate: string
  email?: string
  /** What relying parties are told of the member for their scopes. */
  profile?: Profile
  initial?: InitialPassword
  progress: Progress
  what: Localized
}>

const NEW = { ja: '初回ログイン前（はがきのパスワード）', en: 'new, with a postcard password' }
const LEGACY = { ja: '初回ログイン前（記号+番号+生年月日）', en: 'new, with a legacy password' }
const ENROLLED = { ja: '初回ログイン済み（メールのコード）', en: 'enrolled, e-mail code' }

/** Everybody and everything here is fictional. */
export const DEMO_MEMBERS: readonly DemoMember[] = [
  {
    societyId: 'sakura',
    loginId: '12345-678',
    password: 'hN7w-Tq3k-Xe5R',
    birthdate: '1985-04-01',
    email: 'hanako@example.jp',
    initial: 'random',
    progress: 'new',
    what: NEW,
  },
  {
    societyId: 'sakura',
    loginId: '12345-701',
    password: '1234570119721103',
    birthdate: '1972-11-03',
    email: 'taro@example.jp',
    initial: 'derived',
    progress: 'new',
    what: LEGACY,
  },
  {
    societyId: 'sakura',
    loginId: '12345-702',
    password: '1234570219690720',
    birthdate: '1969-07-20',
    initial: 'derived',
    progress: 'new',
    what: {
      ja: '初回ログイン前（記号+番号+生年月日、メール登録なし）',
      en: 'new, with a legacy password and no e-mail address on file',
    },
  },
  {
    societyId: 'sakura',
    loginId: '12345-703',
    password: 'Zp4d-Wm8s-Kc6H',
    birthdate: '1990-02-28',
    email: 'jiro@example.jp',
    initial: 'random',
    progress: 'halfway',
    what: { ja: '途中（生年月日と規約まで）', en: 'half-way: birthdate and terms done' },
  },
  {
    societyId: 'sakura',
    loginId: '12345-704',
    password: 'Mikan-no-Ki-27!',
    birthdate: '1979-12-24',
    email: 'yuki@example.jp',
    profile: {
      name: '佐倉 由紀',
      family_name: '佐倉',
      given_name: '由紀',
      middle_name: '花',
      nickname: 'ゆき',
      preferred_username: 'yuki',
      'name#ja-Kana-JP': 'サクラ ユキ',
      'family_name#ja-Kana-JP': 'サクラ',
      'given_name#ja-Kana-JP': 'ユキ',
      profile: 'https://members.sakura-kenpo.example/yuki',
      picture: 'https://members.sakura-kenpo.example/yuki.png',
      website: 'https://yuki.example',
      gender: 'female',
      zoneinfo: 'Asia/Tokyo',
      phone_number: '+81300000000',
      phone_number_verified: true,
      address: {
        formatted: '〒100-0000 東京都千代田区さくら町1-2-3',
        street_address: 'さくら町1-2-3',
        locality: '千代田区',
        region: '東京都',
        postal_code: '100-0000',
        country: 'JP',
      },
      updated_at: 1_767_225_600,
    },
    progress: 'enrolled',
    what: ENROLLED,
  },
  {
    societyId: 'minato',
    loginId: '200-1234',
    password: 'Vb6y-Gs9f-Rt2J',
    birthdate: '1988-08-08',
    email: 'kaito@example.jp',
    initial: 'random',
    progress: 'new',
    what: NEW,
  },
  {
    societyId: 'minato',
    loginId: '200-1235',
    password: '200123519810515',
    birthdate: '1981-05-15',
    email: 'nami@example.jp',
    initial: 'derived',
    progress: 'new',
    what: LEGACY,
  },
  {
    societyId: 'minato',
    loginId: '200-1236',
    password: 'Umi-to-Kamome-38!',
    birthdate: '1966-01-30',
    email: 'minoru@example.jp',
    progress: 'enrolled',
    what: ENROLLED,
  },
]

/** Tells a demo member in any store, whatever has become of them there. */
export const demoMemberId = ({ societyId, loginId }: DemoMember): MemberId =>
  // The one place where these members' IDs are made.
  `demo-${societyId}-${loginId}` as MemberId

const afterFirstSteps = (society: Society, clientId: string, at: EpochSeconds) => ({
  birthdateConfirmedAt: at,
  acceptedTerms: [
    { version: society.terms.version, textHash: termsHash(society.terms.text.ja), at, clientId },
  ],
})

const memberOf = (
  demo: DemoMember,
  made: Readonly<{
    hash: string
    society: Society
    clientId: string
    at: EpochSeconds
  }>,
): Member => {
  const { at } = made
  const [symbol = '', number = ''] = demo.loginId.split('-')
  const enrolled = demo.progress === 'enrolled'
  return {
    id: demoMemberId(demo),
    societyId: demo.societyId,
    loginId: demo.loginId,
    insured: { symbol, number },
    birthdate: demo.birthdate,
    locale: 'ja',
    ...(demo.profile && { profile: demo.profile }),
    ...(demo.email === undefined
      ? {}
      : { email: { address: demo.email, ...(enrolled ? { verifiedAt: at } : {}) } }),
    password: {
      hash: made.hash,
      ...(demo.initial === undefined ? {} : { initial: demo.initial }),
      changedAt: at,
    },
    acceptedTerms: [],
    ...(demo.progress === 'new' ? {} : afterFirstSteps(made.society, made.clientId, at)),
    ...(enrolled ? { chosenFactor: 'emailCode' as const, enrolledAt: at } : {}),
    credentials: [],
    revision: 0,
  }
}

/**
 * Puts the demo members of the configured societies into the store where they are not there yet;
 * those who are stay as they have become. Returns the members of those societies.
 */
export const addDemoMembers = async (into: {
  readonly members: MemberStore
  readonly societies: ReadonlyMap<string, Society>
  readonly clientFile: Pick<ClientFile, 'clients'>
  readonly hashPassword: (password: string) => Promise<string>
  readonly now: EpochSeconds
}): Promise<readonly DemoMember[]> => {
  const { members, societies, clientFile, hashPassword, now } = into
  const clients = [...clientFile.clients.values()].map(({ client }) => client)
  const present: DemoMember[] = []
  for (const demo of DEMO_MEMBERS) {
    const society = societies.get(demo.societyId)
    if (!society) continue
    present.push(demo)
    if (await members.findByLoginId(demo.societyId, demo.loginId)) continue
    const client = clients.find(({ policy }) => policy.society === society.id)
    const member = memberOf(demo, {
      hash: await hashPassword(demo.password),
      society,
      clientId: client?.id ?? '',
      at: now,
    })
    try {
      await members.save(member)
    } catch (error) {
      // Another server on the same file was quicker.
      if (error instanceof DuplicateLoginIdError || error instanceof StaleMemberError) continue
      throw error
    }
  }
  return present
}
