import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { Acr } from '../../accounts/assurance.ts'
import type { ChosenFactor } from '../../accounts/member.ts'
import { aVisitor } from '../support/agent.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { holding, requestOptionsOn } from './keys.ts'
import { aJourneyOf, aNewcomer, anOldHand, type Journey, PAGE, theDate } from './support.ts'

const PWD = 'urn:kenpo-id:acr:pwd'
const EMAIL = 'urn:kenpo-id:acr:email'
const MFA = 'https://refeds.org/profile/mfa'
const PHR = 'phr'

/** A society of the demo's, as it stands in the file. */
const demoSociety = (id: string): Readonly<Record<string, unknown>> | undefined => {
  const file = new URL('../../config/demo/societies.json', import.meta.url)
  // The demo's own file, a list of entries.
  return (JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>[]).find(
    (society) => society.id === id,
  )
}

/** A relying party of the society’s that accepts nothing weaker. */
const accepting = (name: string, requiredAcr: Acr) => ({
  client_id: name,
  client_name: name,
  client_secret: 'a-secret-of-a-relying-party-of-this-test',
  policy: { society: 'sakura', requiredAcr },
})

const essential = (...values: readonly string[]) => ({
  claims: JSON.stringify({ id_token: { acr: { essential: true, values } } }),
})
const wished = (...values: readonly string[]) => ({
  claims: JSON.stringify({ id_token: { acr: { values } } }),
})

type Methods = readonly (ChosenFactor | 'recoveryCode')[]
type Ask = Readonly<Record<string, string>>
const NOTHING: Ask = {}
/** The pages asked after the password, and how it ends: the acr told, an error, or a page. */
type Row = readonly [Methods, Acr, Ask, readonly string[], string]

const UNMET = 'unmet_authentication_requirements'
const CODE = [PAGE.emailCode]
const APP = [PAGE.verifyTotp]
const KEY = [PAGE.verifyPasskey]

let host = 0
/** Another address of a network, as no limit per address should matter here. */
const addressIn = (network: 'home' | 'office'): string => {
  host = (host % 250) + 1
  return network === 'office' ? `192.0.2.${host}` : `203.0.113.${host}`
}

describe('What may be used from where, and for which application', () => {
  let idp: Idp
  beforeAll(async () => {
    idp = await startIdp({
      clock: theDate(),
      env: { IDP_TRUSTED_PROXY_HOPS: '1' },
      clients: [
        accepting('takes-pwd', PWD),
        accepting('takes-email', EMAIL),
        accepting('takes-mfa', MFA),
        accepting('takes-phr', PHR),
        { ...accepting('kiosk-portal', EMAIL), policy: { society: 'kiosk', requiredAcr: EMAIL } },
      ],
      societies: [
        {
          ...demoSociety('sakura'),
          id: 'kiosk',
          factors: ['passkey', 'totp', 'emailCode'],
          networks: [
            {
              name: { ja: '受付の端末', en: 'Reception' },
              cidrs: ['192.0.2.0/24'],
              factors: ['totp'],
            },
          ],
        },
      ],
    })
  })
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  const clientFor: Readonly<Record<Acr, string>> = {
    [PWD]: 'takes-pwd',
    [EMAIL]: 'takes-email',
    [MFA]: 'takes-mfa',
    [PHR]: 'takes-phr',
  }

  /** A member with these methods at a browser in that network. */
  const journeyOf = async (
    methods: Methods,
    network: 'home' | 'office',
    options: Readonly<{ clientId?: string; societyId?: string }> = {},
  ): Promise<Journey> => {
    const { societyId = 'sakura', clientId } = options
    const base = anOldHand(idp.clock.now(), { societyId })
    const { member, keys } = await holding(idp, methods, base)
    const visitor = aVisitor({ headers: { 'X-Forwarded-For': addressIn(network) } })
    return aJourneyOf(idp, member, { visitor, keys, ...(clientId && { clientId }) })
  }

  /** Answers whatever is asked after the password, and says what it was. */
  const asked = async (journey: Journey): Promise<readonly string[]> => {
    const pages: string[] = []
    const ends = (): boolean =>
      [PAGE.signedIn, PAGE.stopped].some((page) => page === journey.visitor.page.heading)
    await journey.answer()
    while (!ends() && pages.length < 5) {
      pages.push(journey.visitor.page.heading)
      await journey.answer()
    }
    return pages
  }

  const endOf = async (journey: Journey): Promise<string> => {
    const { page } = journey.visitor
    if (page.heading !== PAGE.signedIn) return page.heading
    const error = page.url.searchParams.get('error')
    if (error !== null) return error
    return String((await journey.finish()).claims()?.acr)
  }

  const walks = (network: 'home' | 'office', rows: readonly Row[]): void => {
    test.each(rows)(
      '%j for an application that takes %s, asked %j: %j, then %s',
      async (...row) => {
        const [methods, minimum, ask, pages, end] = row
        const journey = await journeyOf(methods, network, { clientId: clientFor[minimum] })
        await journey.start(ask)
        expect(await asked(journey)).toEqual(pages)
        expect(await endOf(journey)).toBe(end)
      },
    )
  }

  describe('At home', () => {
    walks('home', [
      [['emailCode'], PWD, NOTHING, [], PWD],
      [['emailCode'], EMAIL, NOTHING, CODE, EMAIL],
      [['emailCode'], MFA, NOTHING, [], UNMET],
      [['emailCode'], PHR, NOTHING, [], UNMET],
      [['emailCode'], PWD, { acr_values: EMAIL }, CODE, EMAIL],
      [['emailCode'], EMAIL, { acr_values: PWD }, CODE, EMAIL],
      [['emailCode'], EMAIL, { acr_values: `${PHR} ${MFA}` }, CODE, EMAIL],
      [['emailCode'], EMAIL, { acr_values: 'urn:nobody:knows' }, CODE, EMAIL],
      [['emailCode'], EMAIL, wished(PHR), CODE, EMAIL],
      [['emailCode'], EMAIL, essential(EMAIL), CODE, EMAIL],
      [['emailCode'], PWD, essential(EMAIL), CODE, EMAIL],
      [['emailCode'], EMAIL, essential(PHR, EMAIL), CODE, EMAIL],
      [['emailCode'], EMAIL, essential(MFA), [], UNMET],

      [['totp'], PWD, NOTHING, [], PWD],
      [['totp'], EMAIL, NOTHING, APP, MFA],
      [['totp'], MFA, NOTHING, APP, MFA],
      [['totp'], PHR, NOTHING, [], UNMET],
      [['totp'], PWD, { acr_values: PHR }, [], PWD],
      [['totp'], PWD, { acr_values: `${PHR} ${MFA}` }, APP, MFA],
      [['totp'], PWD, wished(MFA), APP, MFA],
      [['totp'], EMAIL, essential(EMAIL), APP, EMAIL],
      [['totp'], EMAIL, essential(PHR), [], UNMET],

      [['passkey'], PWD, NOTHING, [], PWD],
      [['passkey'], EMAIL, NOTHING, KEY, PHR],
      [['passkey'], MFA, NOTHING, KEY, PHR],
      [['passkey'], PHR, NOTHING, KEY, PHR],
      [['passkey'], PWD, { acr_values: PHR }, KEY, PHR],
      [['passkey'], EMAIL, essential(MFA), KEY, MFA],
      [['passkey'], EMAIL, essential(PHR, MFA), KEY, PHR],

      [['totp', 'passkey'], EMAIL, NOTHING, APP, MFA],
      [['totp', 'passkey'], PHR, NOTHING, KEY, PHR],
      [['totp', 'passkey'], EMAIL, { acr_values: PHR }, KEY, PHR],
      [['totp', 'passkey'], EMAIL, essential(PHR), KEY, PHR],
      [['passkey', 'totp'], MFA, NOTHING, KEY, PHR],
      [['totp', 'recoveryCode'], EMAIL, NOTHING, APP, MFA],
      [['passkey', 'recoveryCode'], PHR, NOTHING, KEY, PHR],
    ])

    test.each([
      [['totp'], EMAIL],
      [['passkey'], EMAIL],
      [['totp', 'passkey'], PWD],
    ] as const)(
      'a member with %j is never let in by a code to the mailbox',
      async (methods, min) => {
        const journey = await journeyOf(methods, 'home', { clientId: clientFor[min] })
        await journey.start({ acr_values: EMAIL })
        const page = await journey.answer()
        const ways = page.root.querySelectorAll('input[name="method"]')
        expect(ways.map((way) => way.getAttribute('value'))).not.toContain('emailCode')
        expect(page.heading).not.toBe(PAGE.emailCode)
      },
    )
  })

  describe('On a company network that permits e-mail codes only', () => {
    walks('office', [
      [['emailCode'], PWD, NOTHING, [], PWD],
      [['emailCode'], EMAIL, NOTHING, CODE, EMAIL],
      [['emailCode'], MFA, NOTHING, [], UNMET],
      [['totp'], PWD, NOTHING, [], PWD],
      [['totp'], EMAIL, NOTHING, CODE, EMAIL],
      [['totp'], MFA, NOTHING, [], PAGE.stopped],
      [['totp'], PHR, NOTHING, [], UNMET],
      [['passkey'], PWD, NOTHING, [], PWD],
      [['passkey'], EMAIL, NOTHING, CODE, EMAIL],
      [['passkey'], MFA, NOTHING, [], PAGE.stopped],
      [['passkey'], PHR, NOTHING, [], PAGE.stopped],
      [['passkey'], EMAIL, { acr_values: PHR }, CODE, EMAIL],
      [['passkey'], EMAIL, wished(PHR), CODE, EMAIL],
      [['passkey'], EMAIL, essential(PHR, EMAIL), CODE, EMAIL],
      [['passkey'], EMAIL, essential(PHR), [], UNMET],
      [['passkey', 'totp', 'recoveryCode'], EMAIL, NOTHING, CODE, EMAIL],
      [['passkey', 'totp', 'recoveryCode'], MFA, NOTHING, [], PAGE.stopped],
    ])

    test('a member with a passkey only is told why not, and what to do instead', async () => {
      const journey = await journeyOf(['passkey'], 'office', { clientId: 'takes-mfa' })
      await journey.start()
      const page = await journey.answer()
      expect(page.status).toBe(403)
      expect(page.heading).toBe(PAGE.stopped)
      expect(page.text).toContain('スマートフォン')
      expect(page.text).toContain('電話')
    })

    test('the password page offers no passkey, and takes none', async () => {
      const journey = await journeyOf(['passkey'], 'office')
      const page = await journey.start()
      expect(page.root.querySelector('#passkey-options')).toBeNull()
      // The challenge of a page that was opened elsewhere, in a request of one's own.
      const elsewhere = await journeyOf(['emailCode'], 'home')
      const options = requestOptionsOn(await elsewhere.start())
      const response = journey.keys.passkey?.authenticate(options) ?? ''
      const form = { csrf: page.root.querySelector('[name=csrf]')?.getAttribute('value') ?? '' }
      const posted = await journey.visitor.post(`${page.url.href}/passkey`, { ...form, response })
      expect(posted.status).toBe(422)
      expect(posted.heading).toBe(PAGE.password)
    })

    test('choosing shows e-mail alone, and the others with the reason and the network’s name', async () => {
      const visitor = aVisitor({ headers: { 'X-Forwarded-For': addressIn('office') } })
      const journey = await aJourneyOf(idp, aNewcomer(), { visitor })
      await journey.start()
      const page = await journey.walkTo(PAGE.chooseFactor)
      const offered = page.root.querySelectorAll('input[name="factor"]')
      expect(offered.map((option) => option.getAttribute('value'))).toEqual(['emailCode'])
      const hidden = page.root.querySelectorAll('.pick.off')
      expect(hidden.map(({ text }) => /さくら電機の社内ネットワーク/u.test(text))).toEqual([
        true,
        true,
      ])
      for (const factor of ['passkey', 'totp']) {
        const csrf = page.root.querySelector('[name=csrf]')?.getAttribute('value') ?? ''
        const forced = await visitor.post(`${page.url.href}/chooseFactor`, { csrf, factor })
        expect(forced.status).toBe(422)
        expect((await idp.memberOf(journey.member)).chosenFactor).toBeUndefined()
      }
    })
  })

  describe('On a network that permits the app only', () => {
    test.each([
      [['emailCode'], [], PAGE.stopped],
      [['passkey'], [], PAGE.stopped],
      [['totp'], APP, MFA],
      [['passkey', 'totp'], APP, MFA],
    ] as const)('a member with %j is asked %j, then %s', async (methods, pages, end) => {
      const options = { clientId: 'kiosk-portal', societyId: 'kiosk' }
      const journey = await journeyOf(methods, 'office', options)
      await journey.start()
      expect(await asked(journey)).toEqual(pages)
      expect(await endOf(journey)).toBe(end)
    })
  })

  describe('Whoever moves between the steps', () => {
    const moving = async (methods: Methods, from: 'home' | 'office') => {
      const headers = { 'X-Forwarded-For': addressIn(from) }
      const base = anOldHand(idp.clock.now())
      const { member, keys } = await holding(idp, methods, base)
      const journey = await aJourneyOf(idp, member, { visitor: aVisitor({ headers }), keys })
      await journey.start()
      const move = (to: 'home' | 'office') => {
        headers['X-Forwarded-For'] = addressIn(to)
      }
      return { journey, move }
    }

    test('into the company network is asked for a code in place of the passkey', async () => {
      const { journey, move } = await moving(['passkey'], 'home')
      const page = await journey.walkTo(PAGE.verifyPasskey)
      const response = journey.keys.passkey?.authenticate(requestOptionsOn(page)) ?? ''
      move('office')
      const posted = await journey.visitor.submit('verifyFactor', { response })
      expect(posted.heading).toBe(PAGE.emailCode)
      expect((await journey.finish()).claims()?.acr).toBe(EMAIL)
    })

    test('out of it is asked for the passkey in place of the code', async () => {
      const { journey, move } = await moving(['passkey'], 'office')
      await journey.walkTo(PAGE.emailCode)
      const code = await journey.newestCode()
      move('home')
      const posted = await journey.visitor.submit('verifyFactor', { code })
      expect(posted.heading).toBe(PAGE.verifyPasskey)
      expect((await journey.finish()).claims()?.acr).toBe(PHR)
    })

    test('with a passkey shown on the password page, into the company network: it is not taken', async () => {
      const { journey, move } = await moving(['passkey'], 'home')
      const { page } = journey.visitor
      const response = journey.keys.passkey?.authenticate(requestOptionsOn(page)) ?? ''
      move('office')
      const posted = await journey.visitor.submit('passkey', { response })
      expect(posted.status).toBe(422)
      expect(posted.faults.join()).toContain('さくら電機の社内ネットワーク')
      expect(posted.root.querySelector('#passkey-options')).toBeNull()
    })
  })

  describe('The visitor’s address', () => {
    /** Where the product thinks the visitor is, by what it offers. */
    const placeOf = async (headers: Readonly<Record<string, string>>, of: Idp = idp) => {
      const journey = await aJourneyOf(of, aNewcomer(), { visitor: aVisitor({ headers }) })
      const page = await journey.start()
      expect(page.heading).toBe(PAGE.password)
      return page.root.querySelector('#passkey-options') ? 'home' : 'office'
    }

    test.each([
      ['192.0.2.1', 'office'],
      ['192.0.2.255', 'office'],
      ['192.0.3.0', 'home'],
      ['192.0.1.255', 'home'],
      ['::ffff:192.0.2.7', 'office'],
      ['::ffff:c000:207', 'office'],
      ['0:0:0:0:0:ffff:c000:0207', 'office'],
      ['::ffff:203.0.113.7', 'home'],
      ['2001:db8:5a::1', 'office'],
      ['2001:db8:5a:ffff::1', 'office'],
      ['2001:DB8:5A::1', 'office'],
      ['2001:db8:5b::1', 'home'],
      ['unknown', 'home'],
      ['', 'home'],
    ] as const)('%s, seen by our proxy, is %s', async (address, place) => {
      expect(await placeOf({ 'X-Forwarded-For': address })).toBe(place)
    })

    test.each([
      ['203.0.113.9', 'home', '192.0.2.7'],
      ['192.0.2.7', 'office', '203.0.113.9'],
      ['203.0.113.9', 'home', '192.0.2.7, 192.0.2.8, 192.0.2.9'],
      ['192.0.2.7', 'office', '203.0.113.9, 203.0.113.10'],
      ['203.0.113.9', 'home', '::ffff:192.0.2.7'],
      ['203.0.113.9', 'home', '127.0.0.1'],
    ] as const)(
      '%s, seen by our proxy, is %s whatever the visitor wrote before it: %s',
      async (seen, place, written) => {
        expect(await placeOf({ 'X-Forwarded-For': `${written}, ${seen}` })).toBe(place)
      },
    )

    const FORGED = [
      ...['Forwarded', 'X-Real-IP', 'X-Client-IP', 'Client-IP', 'True-Client-IP'],
      ...['CF-Connecting-IP', 'Fastly-Client-IP', 'X-Cluster-Client-IP', 'X-Forwarded'],
      ...['Forwarded-For', 'X-Originating-IP', 'X-Remote-IP', 'X-Remote-Addr', 'X-ProxyUser-Ip'],
      ...['X-Original-Forwarded-For', 'X-Azure-ClientIP', 'X-Envoy-External-Address', 'Via'],
    ]
    test.each(FORGED)('is not what %s says', async (name) => {
      const value = name === 'Forwarded' ? 'for=192.0.2.7' : '192.0.2.7'
      expect(await placeOf({ [name]: value, 'X-Forwarded-For': '203.0.113.9' })).toBe('home')
      const office = name === 'Forwarded' ? 'for=203.0.113.9' : '203.0.113.9'
      expect(await placeOf({ [name]: office, 'X-Forwarded-For': '192.0.2.7' })).toBe('office')
    })

    test('without a proxy of ours is the socket’s, whatever X-Forwarded-For says', async () => {
      const direct = await startIdp({ clock: idp.clock })
      try {
        for (const address of ['192.0.2.7', '::ffff:192.0.2.7', '203.0.113.9, 192.0.2.7']) {
          expect(await placeOf({ 'X-Forwarded-For': address }, direct)).toBe('home')
        }
      } finally {
        await direct.close()
      }
    })
  })
})
