import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { aJourneyOf, aNewcomer, theDate } from '../flows/support.ts'
import { type Idp, startIdp } from '../support/idp.ts'

/** What KENPO_TEST_INSTANCES=cluster and the browser's walks rest on. */
describe('The cluster that flows are walked on', () => {
  let idp: Idp
  beforeAll(async () => {
    idp = await startIdp({ clock: theDate(), store: 'redis+mongo', instances: 'cluster' })
  }, 90_000)
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  test('is two processes with the test’s clock, stores, mail server and log', async () => {
    // A server that the test itself runs says nothing of listening.
    expect(idp.log.filter(({ msg }) => msg === 'listening')).toHaveLength(2)
    await idp.clock.advance(86_400)
    const journey = await aJourneyOf(idp, aNewcomer())
    await journey.start()
    const tokens = await journey.finish()
    expect(tokens.claims()?.iat).toBe(idp.clock.now())
    expect((await idp.memberOf(journey.member)).enrolledAt).toBe(idp.clock.now())
    expect(idp.log).toContainEqual(expect.objectContaining({ msg: 'tokens issued' }))
  })
})
