import { Redis } from 'ioredis'
import type { Member } from '../../accounts/member.ts'
import type { Idp } from './idp.ts'

/** A moment to come back to, as often as one likes. */
export interface Moment {
  /** Redis, counters and all, and the member are as they were then; what was sent stays sent. */
  again(): Promise<void>
  close(): void
}

/** This moment of one member at a product on Redis and MongoDB, while nothing else goes on there. */
export const thisMoment = async (idp: Idp, { id }: Pick<Member, 'id'>): Promise<Moment> => {
  const redis = new Redis(idp.stores.env.IDP_REDIS_URL ?? '')
  const then = await idp.memberOf({ id })
  const keys = await redis.keys('*')
  const held = await Promise.all(
    keys.map(async (key) => ({
      key,
      value: await redis.getBuffer(key),
      left: await redis.pttl(key),
    })),
  )
  return {
    async again() {
      const all = redis.pipeline().flushdb()
      for (const { key, value, left } of held) {
        if (value !== null && left > 0) all.set(key, value, 'PX', left)
      }
      await all.exec()
      const { revision } = await idp.memberOf({ id })
      await idp.services.members.save({ ...then, revision })
    },
    close: () => redis.disconnect(),
  }
}
