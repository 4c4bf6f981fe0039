import { createArtifactAdapter } from '../../../adapters/embedded/artifacts.ts'
import { createMemberStore } from '../../../adapters/embedded/members.ts'
import { createOutbox } from '../../../adapters/embedded/outbox.ts'
import { createThrottle } from '../../../adapters/embedded/throttle.ts'
import { createTransientStore } from '../../../adapters/embedded/transient.ts'
import { artifactAdapterContract } from '../../contracts/artifact-adapter.ts'
import { memberStoreContract } from '../../contracts/member-store.ts'
import { outboxContract } from '../../contracts/outbox.ts'
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

throttleContract(NAME, async ({ clock, limits }) => {
  const { db, close } = openTemporary()
  return { throttle: createThrottle(db, clock, limits), close }
})

artifactAdapterContract(NAME, async ({ clock, tombstoneSeconds }) => {
  const { db, close } = openTemporary()
  return { adapterFor: createArtifactAdapter(db, clock, { tombstoneSeconds }), close }
})
