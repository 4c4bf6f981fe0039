import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import type { Member } from '../../accounts/member.ts'
import { aNewcomer, newestMail } from '../flows/support.ts'
import { aDesktop, aPhone, closeBrowser, look, TEXT_200, takePicture } from '../support/browser.ts'
import { A_PASSWORD } from '../support/builders.ts'
import { AS_IN_PRODUCTION, type PortalAndIdp, startPortalAndIdp } from '../support/portal.ts'
import { codeIn } from '../support/smtp-sink.ts'
import { ANSWERS, answer as give, PAGE, walkTo as walk } from './first-login.ts'
import { aWalk, headingOf } from './walk.ts'

const STALE = '画面の有効期限が切れました'

let site: PortalAndIdp
beforeAll(async () => {
  site = await startPortalAndIdp(AS_IN_PRODUCTION)
})
afterAll(async () => {
  await closeBrowser()
  await site.close()
})

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()

const answer = (page: Page, member: Member) => give(page, member, site.idp)

const walkTo = (page: Page, member: Member, heading: string) =>
  walk(page, member, site.idp, heading)

/** A new member, at the login page by way of the portal. */
const arrive = async (page: Page): Promise<Member> => {
  const member = await site.idp.services.members.save(aNewcomer())
  await page.goto(`${site.portalUrl}/login`)
  return member
}

const withoutFault = (page: Page) => expect(page.locator('[role=alert]').count()).resolves.toBe(0)

describe('A member who does not go straight on', () => {
  let page: Page
  let member: Member
  /** The date-of-birth page as it was sent, to be shown again when it is no longer due. */
  let oldPage: string
  beforeAll(async () => {
    page = await aPhone('ja-JP')
    member = await arrive(page)
  })
  afterAll(() => page.context().close())

  test('pressing the button twice sends the form once', async () => {
    const sent: string[] = []
    page.on('request', (request) => {
      if (request.method() === 'POST') sent.push(new URL(request.url()).pathname)
    })
    await page.getByLabel('ユーザID').fill(member.loginId)
    await page.getByLabel('パスワード', { exact: true }).fill(A_PASSWORD)
    await page.getByRole('button', { name: 'ログイン', exact: true }).dblclick()
    await page.getByText(PAGE.birthdate).first().waitFor()
    oldPage = await page.content()
    expect(sent).toEqual([expect.stringMatching(/^\/interaction\/[^/]+\/password$/u)])
  })

  test('loading a page with a fault again asks for the page and sends nothing', async () => {
    await press(page, '次へ')
    await page.getByRole('alert').waitFor()
    await page.reload()
    await expect(headingOf(page)).resolves.toBe(PAGE.birthdate)
    await withoutFault(page)
  })

  test('going back over a page with a fault shows the step that is due', async () => {
    await press(page, '次へ')
    await page.getByRole('alert').waitFor()
    await walkTo(page, member, PAGE.terms)
    await page.goBack()
    await expect(headingOf(page)).resolves.toBe(PAGE.terms)
    await withoutFault(page)
    await page.goForward()
    await expect(headingOf(page)).resolves.toBe(PAGE.terms)
  })

  test('an earlier page that the browser still shows changes nothing when it is sent', async () => {
    const before = await site.idp.memberOf(member)
    const earlier = await page.context().newPage()
    await earlier.route(page.url(), (route) =>
      route.fulfill({ contentType: 'text/html', body: oldPage }),
    )
    await earlier.goto(page.url())
    await answer(earlier, member)
    await earlier.getByText(PAGE.terms).first().waitFor()
    await withoutFault(earlier)
    expect(await site.idp.memberOf(member)).toEqual(before)
    await earlier.close()
  })

  test('a second tab of the same sign-in left behind leads to the step that is due', async () => {
    const left = await page.context().newPage()
    await left.goto(page.url())
    await expect(headingOf(left)).resolves.toBe(PAGE.terms)
    await walkTo(page, member, PAGE.waiting)
    await answer(left, member)
    await left.getByText(PAGE.waiting).first().waitFor()
    await withoutFault(left)
    await left.close()
  })

  test('a code is taken as it is pasted from the mail, with spaces and in full width', async () => {
    const code = codeIn(await newestMail(site.idp, member.email?.address ?? ''))
    const wide = code.replace(/\d/gu, (digit) => String.fromCodePoint(0xff10 + Number(digit)))
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.bringToFront()
    await page.evaluate(
      `navigator.clipboard.writeText(${JSON.stringify(` ${wide.slice(0, 3)} ${wide.slice(3)}　`)})`,
    )
    await page.getByLabel('確認コード').focus()
    await page.keyboard.press('ControlOrMeta+v')
    await expect(page.getByLabel('確認コード').inputValue()).resolves.toContain(wide.slice(3))
    await press(page, '次へ')
    await expect(headingOf(page)).resolves.toBe(PAGE.place)
  })

  test('a page left open after the sign-in has ended shows the way back to the portal', async () => {
    await walkTo(page, member, PAGE.done)
    const left = await page.context().newPage()
    await left.goto(page.url())
    await walkTo(page, member, PAGE.portal)
    await press(left, '健康ポータルへ進む')
    await aWalk(left, 'resilience').see('stale', STALE)
    await left.getByRole('link', { name: '健康ポータルへ戻る' }).click()
    await expect(headingOf(left)).resolves.toBe(PAGE.portal)
    expect(new URL(left.url()).origin).toBe(site.portalUrl)
  })
})

test('a form whose sending was broken off can be sent again once the page is shown anew', async () => {
  const page = await aDesktop('ja-JP')
  await arrive(page)
  await page.route('**/password', (route) => route.abort('aborted'))
  await page.getByLabel('ユーザID').fill('12345-678')
  await page.getByLabel('パスワード', { exact: true }).fill('wrong')
  const button = page.getByRole('button', { name: 'ログイン', exact: true })
  await button.click()
  await expect(button.getAttribute('aria-disabled')).resolves.toBe('true')
  await page.unroute('**/password')
  // Our pages are not to be stored, so Chromium keeps none in its memory; other browsers may.
  await page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
  await expect(button.getAttribute('aria-disabled')).resolves.toBeNull()
  await page.getByLabel('パスワード', { exact: true }).fill('wrong')
  await button.click()
  await page.getByRole('alert').waitFor()
  await page.context().close()
})

describe('Every page of the first login fits', () => {
  /** What stands out of the page sideways, or has words that are cut off. */
  const CUT = `(() => {
    const { scrollWidth, clientWidth } = document.documentElement
    const cut = [...document.querySelectorAll('main :is(h1, h2, p, a, b, button, label, dd, li, summary)')]
      .filter((each) => each.checkVisibility() && !each.closest('.vh') && each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).display !== 'inline')
      .map((each) => each.outerHTML.slice(0, 80))
    return [...(scrollWidth > clientWidth ? [scrollWidth + ' px of content in ' + clientWidth + ' px'] : []), ...cut]
  })()`

  const SIZES = [
    { size: 'at 320 px', open: () => aPhone('ja-JP', { viewport: { width: 320, height: 640 } }) },
    { size: 'on a phone with text of 200 %', open: () => aPhone('ja-JP', {}, TEXT_200) },
    { size: 'on a desktop with text of 200 %', open: () => aDesktop('ja-JP', {}, TEXT_200) },
  ]

  test.each(SIZES)('$size', async ({ size, open }) => {
    const page = await open()
    const member = await arrive(page)
    const folder = `resilience ${size}`.replaceAll(' ', '-').replace('-%', '')
    for (const heading of Object.keys(ANSWERS)) {
      await expect(headingOf(page)).resolves.toBe(heading)
      await takePicture(page, `${folder}/${heading}`)
      const cut = await page.evaluate(CUT)
      expect({ heading, cut }).toEqual({ heading, cut: [] })
      await answer(page, member)
    }
    await expect(headingOf(page)).resolves.toBe(PAGE.portal)
    await page.context().close()
  })
})

test('pages are well in forced colours and without motion', async () => {
  const page = await aDesktop('ja-JP', { forcedColors: 'active', reducedMotion: 'reduce' })
  const member = await arrive(page)
  const see = async (name: string) => {
    await expect(look(page, `resilience-forced-colours/${name}`)).resolves.toEqual([])
    await expect(
      page.evaluate("getComputedStyle(document.querySelector('.btn')).transitionDuration"),
    ).resolves.toBe('0s')
    const border = "getComputedStyle(document.querySelector('.btn')).borderTopStyle"
    await expect(page.evaluate(border)).resolves.toBe('solid')
  }
  await see('login')
  await answer(page, member)
  await press(page, '次へ')
  await see('birthdate-empty')
  await walkTo(page, member, PAGE.place)
  await see('place')
  await walkTo(page, member, PAGE.choice)
  await see('choice')
  await page.context().close()
})
