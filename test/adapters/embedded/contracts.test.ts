import { createArtifactAdapter } from '../../../adapters/embedded/artifacts.ts'
import { createAuditTrail } from '../../../adapters/embedded/audit-trail.ts'
import { createConsentStore } from '../../../adapters/embedded/consents.ts'
import { createMemberStore } from '../../../adapters/embedded/members.ts'
import { createOutbox } from '../../../adapters/embedded/outbox.ts'
import { createRecordStore } from '../../../adapters/embedded/records.ts'
import { createSessionIndex } from '../../../adapters/embedded/sessions.ts'
import { createSignInLog } from '../../../adapters/embedded/sign-ins.ts'
import { createThrottle } from '../../../adapters/embedded/throttle.ts'
import { createTransientStore } from '../../../adapters/embedded/transient.ts'
import { artifactAdapterContract } from '../../contracts/artifact-adapter.ts'
import { auditTrailContract } from '../../contracts/audit-trail.ts'
import { clientStoreContract } from '../../contracts/client-store.ts'
import { consentStoreContract } from '../../contracts/consent-store.ts'
import { keyRingContract } from '../../contracts/key-ring.ts'
import { memberStoreContract } from '../../contracts/member-store.ts'
import { outboxContract } from '../../contracts/outbox.ts'
import { sessionIndexContract } from '../../contracts/session-index.ts'
import { signInLogContract } from '../../contracts/sign-in-log.ts'
import { throttleContract } from '../../contracts/throttle.ts'
import { transientStoreContract } from '../../contracts/transient-store.ts'
import { openTemporary } from './temporary.ts'

const NAME = 'the embedded file'

memberStoreContract(NAME, async () => {
  const { db, close } = openTemporary()
  return { store: createMemberStore(db), close }
})

transientStoreContract(NAME, async ({ clock }) => {
  const { db, close } = openTemporary()
  return { store: createTransientStore(db, clock), close }
})

outboxContract(NAME, async () => {
  const { db, close } = openTemporary()
  return { outbox: createOutbox(db), close }
})

signInLogContract(NAME, async () => {
  const { db, close } = openTemporary()
  return { log: createSignInLog(db), close }
})

sessionIndexContract(NAME, async () => {
  const { db, close } = openTemporary()
  return { index: createSessionIndex(db), close }
})

consentStoreContract(NAME, async () => {
  const { db, close } = openTemporary()
  return { consents: createConsentStore(db), close }
})

throttleContract(NAME, async ({ clock, limits }) => {
  const { db, close } = openTemporary()
  return { throttle: createThrottle(db, clock, limits), close }
})

artifactAdapterContract(NAME, async ({ clock, tombstoneSeconds }) => {
  const { db, close } = openTemporary()
  return { adapterFor: createArtifactAdapter(db, clock, { tombstoneSeconds }), close }
})

auditTrailContract(NAME, async () => {
  const { db, close } = openTemporary()
  return { audit: createAuditTrail(db), close }
})

clientStoreContract(NAME, async () => {
  const { db, close } = openTemporary()
  return { clients: createRecordStore(db, 'client'), others: createRecordStore(db, 'other'), close }
})

keyRingContract(NAME, async () => {
  const { db, close } = openTemporary()
  return { store: createRecordStore(db, 'signingKeys'), audit: createAuditTrail(db), close }
})
