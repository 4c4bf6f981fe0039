import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Member } from '../../accounts/member.ts'
import { press } from '../browser/signing-in.ts'
import { withApp } from '../flows/keys.ts'
import { appCode } from '../support/authenticator-app.ts'
import { aDesktop, closeBrowser, heardFrom } from '../support/browser.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import {
  type Example,
  guideExample,
  shownJson,
  signInAsDemoMember,
  startExample,
  withDemoMembers,
} from './support.ts'

let idp: Idp
let example: Example
let member: Member
let appSecret: Buffer

beforeAll(async () => {
  idp = await startIdp()
  // With an app beside the e-mail codes, so that there is something to step up to.
  const held = await withApp(idp, await withDemoMembers(idp))
  member = await idp.services.members.save(held.member)
  appSecret = held.appSecret
  example = await startExample('express', idp)
}, 60_000)
afterAll(async () => {
  await example?.stop()
  await closeBrowser()
  await idp?.close()
})

test('the Express example signs a member in, steps up, signs out, and hears of sign-outs elsewhere', async () => {
  const page = await aDesktop()
  const heading = (name: string) => page.getByRole('heading', { name, exact: true, level: 1 })
  const follow = (name: string) => page.getByRole('link', { name, exact: true }).click()

  await page.goto(example.home)
  await heading('Not signed in').waitFor()
  await follow('Sign in')
  await signInAsDemoMember(page, idp, member)
  await heading('Signed in').waitFor()
  const claims = await shownJson(page)
  expect(claims).toMatchObject({
    iss: idp.issuer,
    aud: example.registered.client_id,
    acr: 'urn:kenpo-id:acr:email',
    amr: ['pwd', 'otp', 'mca'],
  })
  const told = JSON.parse(guideExample('claims'))
  expect(Object.keys(claims)).toEqual(expect.arrayContaining(Object.keys(told)))
  expect(told).toMatchObject({ acr: claims.acr, amr: claims.amr, aud: claims.aud })
  expect(await shownJson(page, 1)).toMatchObject({
    sub: claims.sub,
    email: member.email?.address,
    email_verified: true,
  })

  await follow('Health records')
  await heading('One more step').waitFor()
  await follow('Continue')
  await page.getByLabel('アプリの6桁の数字').fill(appCode(appSecret, idp.clock.now()))
  await press(page, 'ログイン')
  await heading('Health records').waitFor()

  // Out of the app and not out of Kenpo ID: the next sign-in asks nothing.
  await follow('Home')
  await press(page, 'Sign out')
  await press(page, 'ログインしたままにする')
  await heading('Not signed in').waitFor()
  expect(new URL(page.url()).origin).toBe(example.home)
  await follow('Sign in')
  await heading('Signed in').waitFor()

  // Somewhere else in the same browser: the app is told by the provider itself.
  const elsewhere = await page.context().newPage()
  await elsewhere.goto(`${idp.issuer}/session/end`)
  await press(elsewhere, 'ログアウトする')
  for (let tries = 0; tries < 100; tries += 1) {
    await page.goto(example.home)
    if (await heading('Not signed in').isVisible()) break
  }
  await heading('Not signed in').waitFor()
  expect([...heardFrom(page), ...heardFrom(elsewhere)]).toEqual([])
  expect(example.said()).toBe('')
}, 60_000)
