import type {
  AuditTrail,
  Clock,
  ConsentStore,
  MailRequest,
  MemberStore,
  Outbox,
  Queued,
  SessionIndex,
  SignInLog,
} from '../../accounts/ports.ts'
import { createAuditTrail } from './audit-trail.ts'
import { createMongo, type MongoConnection, type MongoOptions } from './connect.ts'
import { createConsentStore } from './consents.ts'
import { createLastingArtifacts } from './lasting-artifacts.ts'
import { createMemberStore } from './members.ts'
import { migrate, pendingMigrations, requireSchema, schemaFault } from './migrations.ts'
import { createOutbox } from './outbox.ts'
import { createRecordStores } from './records.ts'
import { createSessionIndex } from './sessions.ts'
import { createSignInLog } from './sign-ins.ts'

export type { MongoOptions } from './connect.ts'
export { LASTING_MODELS } from './lasting-artifacts.ts'

/** The lasting stores, in MongoDB. */
export type MongoStores = Pick<MongoConnection, 'isReady' | 'onReady' | 'onError' | 'close'> &
  Readonly<{
    members: MemberStore
    outbox<Item extends Queued = MailRequest>(queue?: string): Outbox<Item>
    signIns: SignInLog
    sessions: SessionIndex
    consents: ConsentStore
    audit: AuditTrail
    /** For the engine's models that last; see `LASTING_MODELS`. */
    lastingArtifacts: ReturnType<typeof createLastingArtifacts>
    /** Records of one kind, by its name. */
    records: ReturnType<typeof createRecordStores>
    /** @throws StoreUnavailableError where no server answers that takes writes, within a second */
    ping(): Promise<void>
    /** See `schemaFault` of migrations.ts: looked up anew each time. */
    schemaFault(): Promise<string | undefined>
    /** Names of the migrations still to be run. @throws StoreUnavailableError */
    pendingMigrations(): Promise<readonly string[]>
    /** See `migrate` of migrations.ts. */
    migrate(): Promise<readonly string[]>
  }>

/**
 * Opens the stores at once and connects in the background, for ever. Until the schema has been
 * found to be this release's, which is looked up at the first use, every operation throws
 * StoreUnavailableError: without its unique indexes no store keeps its word.
 */
export const openMongo = (options: MongoOptions, clock: Clock): MongoStores => {
  const mongo = createMongo(options)
  let known: Promise<void> | undefined
  const schemaIsOurs = (): Promise<void> => {
    const asked = known ?? requireSchema(mongo)
    known = asked
    asked.catch(() => {
      if (known === asked) known = undefined
    })
    return asked
  }
  const guarded: MongoConnection = {
    ...mongo,
    reach: async (call) => {
      await schemaIsOurs()
      return mongo.reach(call)
    },
  }
  const { isReady, onReady, onError, close } = mongo
  return {
    members: createMemberStore(guarded),
    outbox: (queue) => createOutbox(guarded, queue),
    signIns: createSignInLog(guarded),
    sessions: createSessionIndex(guarded),
    consents: createConsentStore(guarded),
    audit: createAuditTrail(guarded),
    lastingArtifacts: createLastingArtifacts(guarded, clock),
    records: createRecordStores(guarded),
    ping: mongo.ping,
    schemaFault: () => schemaFault(mongo),
    pendingMigrations: () => pendingMigrations(mongo),
    migrate: () => migrate(mongo, clock),
    isReady,
    onReady,
    onError,
    close,
  }
}
