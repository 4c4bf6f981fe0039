import type {
  AuditTrail,
  ConsentStore,
  LogoutRequest,
  MemberStore,
  Outbox,
  SessionIndex,
  SignInLog,
  Throttle,
  TransientStore,
  UnitOfWork,
} from '../accounts/ports.ts'
import type { ClientStore, RegistrationTokenStore } from '../clients/ports.ts'
import type { KeyRingStore } from '../keys/ring.ts'
import type { createArtifactAdapter } from './embedded/artifacts.ts'

/** The stores, open. */
export type Adapters = Readonly<{
  members: MemberStore
  transient: TransientStore
  throttle: Throttle
  outbox: Outbox
  logouts: Outbox<LogoutRequest>
  signIns: SignInLog
  sessions: SessionIndex
  consents: ConsentStore
  audit: AuditTrail
  clientStore: ClientStore
  registrationTokens: RegistrationTokenStore
  signingKeys: KeyRingStore
  artifacts: ReturnType<typeof createArtifactAdapter>
  /** To be put around each request; absent: each write is made as it is asked for. */
  unitOfWork?: UnitOfWork
  /** Names of the servers that do not serve now; empty: ready. Answers within a second. */
  unreachable(): Promise<readonly string[]>
  /** What an operator has to mend before these stores may serve, a sentence each. */
  unfit(): Promise<readonly string[]>
  /** Deletes what has expired; returns how many records went. */
  sweepExpired(): Promise<number>
  /** Brings the lasting store's schema up to this release; the names of what was done. A file is
   * brought up to date as it is opened. */
  migrate(): Promise<readonly string[]>
  close(): Promise<void>
}>
