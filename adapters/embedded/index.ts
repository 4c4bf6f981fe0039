import { join } from 'node:path'
import type { Clock, LogoutRequest } from '../../accounts/ports.ts'
import type { Adapters } from '../adapters.ts'
import { createArtifactAdapter } from './artifacts.ts'
import { createAuditTrail } from './audit-trail.ts'
import { createConsentStore } from './consents.ts'
import { openDatabase } from './database.ts'
import { createMemberStore } from './members.ts'
import { createOutbox } from './outbox.ts'
import { createRecordStore } from './records.ts'
import { createSessionIndex } from './sessions.ts'
import { createSettings } from './settings.ts'
import { createSignInLog } from './sign-ins.ts'
import { createThrottle } from './throttle.ts'
import { createTransientStore } from './transient.ts'

/** The embedded store's file in this directory. */
export const fileIn = (dataDir: string): string => join(dataDir, 'kenpo-id.sqlite')

/** Everything in one file, for one machine. */
export const openEmbedded = (dataDir: string, clock: Clock): Adapters => {
  const db = openDatabase(fileIn(dataDir))
  return {
    members: createMemberStore(db),
    transient: createTransientStore(db, clock),
    throttle: createThrottle(db, clock),
    outbox: createOutbox(db),
    logouts: createOutbox<LogoutRequest>(db, 'logouts'),
    signIns: createSignInLog(db),
    sessions: createSessionIndex(db),
    consents: createConsentStore(db),
    audit: createAuditTrail(db),
    clientStore: createRecordStore(db, 'client'),
    registrationTokens: createRecordStore(db, 'registrationToken'),
    signingKeys: createRecordStore(db, 'signingKeys'),
    artifacts: createArtifactAdapter(db, clock),
    unreachable: async () => [],
    unfit: async () => [],
    sweepExpired: async () => db.sweepExpired(clock.now()),
    migrate: async () => [],
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
