import type { Clock, Foreseen, Throttle, TransientStore, UnitOfWork } from '../../accounts/ports.ts'
import { type Artifacts, createArtifacts } from './artifacts.ts'
import type { RedisClient } from './connect.ts'
import { createThrottles } from './throttle.ts'
import { createTransients } from './transient.ts'
import { createUnits } from './unit-of-work.ts'

export type RedisStores = Readonly<{
  artifacts: Artifacts['adapterFor']
  transient: TransientStore
  throttle: Throttle
  unitOfWork: UnitOfWork
  /** Makes a call to another store that must not be ahead of this one: what is queued goes first. */
  behind<T>(call: () => Promise<T>): Promise<T>
}>

/** All that is kept in Redis, sharing units of work (unit-of-work.ts). */
export const createRedisStores = (redis: RedisClient, clock: Clock): RedisStores => {
  const units = createUnits(redis)
  const artifacts = createArtifacts(units, clock)
  const transients = createTransients(units, clock)
  const throttles = createThrottles(units, clock)

  const prefetches = ({ artifacts: found = [], values = [], looks = [] }: Foreseen) => [
    ...found.map(([model, id]) => artifacts.foresee(model, id)),
    ...values.map(transients.foresee),
    ...looks.map(([limit, key]) => throttles.foresee(limit, key)),
  ]

  return {
    artifacts: artifacts.adapterFor,
    transient: transients.store,
    throttle: throttles.throttle,
    unitOfWork: (foreseen, work) => units.run(work, () => prefetches(foreseen)),
    behind: async (call) => {
      await units.settle()
      return call()
    },
  }
}
