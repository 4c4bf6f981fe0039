import { describe, expect, test } from '@jest/globals'
import { systemRandom } from '../../adapters/system.ts'
import { generateDeskPass, verifyDeskPass } from '../../factors/desk-pass.ts'
import { T0 } from '../support/builders.ts'

const SOON = T0 + 3600

describe('the desk’s pass', () => {
  test('is twelve characters in groups of four, none of which is taken for another', async () => {
    const { pass, kept } = await generateDeskPass(systemRandom, SOON)
    expect(pass).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$/u)
    expect(kept.expiresAt).toBe(SOON)
    expect(kept.hash).toMatch(/^\$argon2id\$/u)
  })

  test('is made of all the random bytes that a pass can hold, evenly', async () => {
    const { pass } = await generateDeskPass((size) => Buffer.alloc(size, 0xff), SOON)
    expect(pass).toBe('ZZZZ-ZZZZ-ZZZZ')
  })

  test('is accepted as people write down what they hear', async () => {
    const bytes = () => Buffer.from('0001020304050607089a', 'hex')
    const { pass, kept } = await generateDeskPass(bytes, SOON)
    const member = { deskPass: kept }
    for (const typed of [
      pass,
      pass.toLowerCase(),
      pass.replaceAll('-', ' '),
      pass.replaceAll('-', 'ー'),
      pass.replaceAll('0', 'O').replaceAll('1', 'l'),
      pass.replace(/[0-9A-Z]/gu, (c) => String.fromCodePoint((c.codePointAt(0) ?? 0) + 0xfee0)),
    ]) {
      expect(await verifyDeskPass(member, typed, T0)).toEqual({ ok: true, value: kept })
    }
  })

  test('is wrong for another member, after its time, and when there is none', async () => {
    const { pass, kept } = await generateDeskPass(systemRandom, SOON)
    const { kept: another } = await generateDeskPass(systemRandom, SOON)
    const wrong = { ok: false, reason: 'pass.wrong' }
    expect(await verifyDeskPass({ deskPass: another }, pass, T0)).toEqual(wrong)
    expect(await verifyDeskPass({ deskPass: kept }, pass, SOON)).toEqual(wrong)
    expect((await verifyDeskPass({ deskPass: kept }, pass, SOON - 1)).ok).toBe(true)
    expect(await verifyDeskPass({}, pass, T0)).toEqual(wrong)
  })

  test.each(['', '7K2M-9QXD', '7K2M-9QXD-4TAEE', '7K2M-9QXD-4TAU', '\0', '７'])(
    '%j is no pass at all',
    async (typed) => {
      const { kept } = await generateDeskPass(systemRandom, SOON)
      expect(await verifyDeskPass({ deskPass: kept }, typed, T0)).toEqual({
        ok: false,
        reason: 'pass.format',
      })
    },
  )
})
