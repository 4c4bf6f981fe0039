import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Member } from '../../accounts/member.ts'
import { press } from '../browser/signing-in.ts'
import { aDesktop, closeBrowser, heardFrom } from '../support/browser.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import {
  type Example,
  shownJson,
  signInAsDemoMember,
  startExample,
  withDemoMembers,
} from './support.ts'

let idp: Idp
let example: Example
let member: Member

beforeAll(async () => {
  idp = await startIdp()
  member = await withDemoMembers(idp)
  example = await startExample('spa', idp)
}, 60_000)
afterAll(async () => {
  await example?.stop()
  await closeBrowser()
  await idp?.close()
})

test('the single-page example signs a member in without a secret, and out', async () => {
  expect(example.registered).not.toHaveProperty('client_secret')
  const page = await aDesktop()
  const heading = (name: string) => page.getByRole('heading', { name, exact: true })

  await page.goto(example.home)
  await heading('Not signed in').waitFor()
  await press(page, 'Sign in')
  await signInAsDemoMember(page, idp, member)
  await heading('Signed in').waitFor()
  // No code is left in the address bar or in the history.
  expect(page.url()).toBe(`${example.home}/`)
  expect(await shownJson(page)).toMatchObject({
    iss: idp.issuer,
    aud: example.registered.client_id,
    acr: 'urn:kenpo-id:acr:email',
    amr: ['pwd', 'otp', 'mca'],
    email: member.email?.address,
  })
  await page.reload()
  await heading('Signed in').waitFor()

  await press(page, 'Sign out')
  await press(page, 'ログアウトする')
  await heading('Not signed in').waitFor()

  // The member turns back: that is no fault.
  await press(page, 'Sign in')
  await page.getByRole('button', { name: /戻る$/u }).click()
  await heading('Not signed in').waitFor()
  expect(await page.getByRole('status').textContent()).toBe('')
  // Neither CORS nor the page's own policy has stood in the way of anything.
  expect(heardFrom(page)).toEqual([])
  expect(example.said()).toBe('')
}, 60_000)
