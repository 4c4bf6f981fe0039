import { join } from 'node:path'
import type {
  AuditTrail,
  Clock,
  MemberStore,
  Outbox,
  SessionIndex,
  SignInLog,
  Throttle,
  TransientStore,
} from '../accounts/ports.ts'
import type { AppConfig } from '../config/index.ts'
import { createArtifactAdapter } from './embedded/artifacts.ts'
import { createAuditTrail } from './embedded/audit-trail.ts'
import { openDatabase } from './embedded/database.ts'
import { createMemberStore } from './embedded/members.ts'
import { createOutbox } from './embedded/outbox.ts'
import { createSessionIndex } from './embedded/sessions.ts'
import { createSettings } from './embedded/settings.ts'
import { createSignInLog } from './embedded/sign-ins.ts'
import { createThrottle } from './embedded/throttle.ts'
import { createTransientStore } from './embedded/transient.ts'

/** The stores, open. */
export type Adapters = Readonly<{
  members: MemberStore
  transient: TransientStore
  throttle: Throttle
  outbox: Outbox
  signIns: SignInLog
  sessions: SessionIndex
  audit: AuditTrail
  artifacts: ReturnType<typeof createArtifactAdapter>
  /** Names of the servers that do not serve now; empty: ready. Answers within a second. */
  unreachable(): Promise<readonly string[]>
  /** Deletes what has expired; returns how many records went. */
  sweepExpired(): Promise<number>
  close(): Promise<void>
}>

const fileIn = (dataDir: string): string => join(dataDir, 'kenpo-id.sqlite')

/** Opens the stores that the configuration names: in this version one embedded file. */
export const openAdapters = async (
  { dataDir }: Pick<AppConfig, 'dataDir'>,
  clock: Clock,
): Promise<Adapters> => {
  const db = openDatabase(fileIn(dataDir))
  return {
    members: createMemberStore(db),
    transient: createTransientStore(db, clock),
    throttle: createThrottle(db, clock),
    outbox: createOutbox(db),
    signIns: createSignInLog(db),
    sessions: createSessionIndex(db),
    audit: createAuditTrail(db),
    artifacts: createArtifactAdapter(db, clock),
    unreachable: async () => [],
    sweepExpired: async () => db.sweepExpired(clock.now()),
    close: async () => db.close(),
  }
}

/** Keeps what a development server makes for itself in the data directory's store. */
export const keepSetting = (dataDir: string, name: string, make: () => string): string => {
  const db = openDatabase(fileIn(dataDir))
  try {
    return createSettings(db).obtain(name, make)
  } finally {
    db.close()
  }
}
