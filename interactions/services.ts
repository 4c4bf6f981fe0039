import type {
  AuditTrail,
  ClientDirectory,
  Clock,
  ConsentStore,
  Log,
  LogoutRequest,
  MemberStore,
  Outbox,
  RandomBytes,
  SessionIndex,
  SignInLog,
  Throttle,
  TransientStore,
} from '../accounts/ports.ts'
import type { Society } from '../accounts/society.ts'

/** What our own pages are configured with. `AppConfig` of config/ fits it. */
export type Settings = Readonly<{
  /** https://id.example.jp, no trailing slash. */
  issuer: string
  /** How many proxies of ours stand before this server; 0: none. */
  trustedProxyHops: number
  societies: ReadonlyMap<string, Society>
  /** Newest first; sign cookies, CSRF tokens and throttle keys. */
  cookieKeys: readonly string[]
  /** Derives e-mail codes and mailed links; at least 32 bytes. */
  codeKey: Buffer
  /** Newest first, 32 bytes each: seal app secrets at rest and hash recovery codes. */
  encryptionKeys: readonly Readonly<{ id: string; key: Buffer }>[]
  /** The address mails come from. */
  mailFrom: string
  /** Where the demo's portal and mailbox are; undefined: there is none. */
  demo?: Readonly<{ portalPort: number; mailboxPort: number }> | undefined
  /** The operator's mail server, which the demo's mailbox is not started beside. */
  smtpUrl?: string | undefined
}>

/** The ports our pages work through. */
export type Services = Readonly<{
  settings: Settings
  members: MemberStore
  transient: TransientStore
  throttle: Throttle
  outbox: Outbox
  /** Relying parties to be told that a session is over. */
  logouts: Outbox<LogoutRequest>
  signIns: SignInLog
  sessions: SessionIndex
  consents: ConsentStore
  audit: AuditTrail
  clients: ClientDirectory
  clock: Clock
  randomBytes: RandomBytes
  log: Log
}>

/** What every page needs, whatever it shows. */
export type PageServices = Pick<Services, 'settings' | 'clients'>
