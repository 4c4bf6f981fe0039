import { parse } from 'node-html-parser'
import {
  type CDPSession,
  type Browser as Chromium,
  chromium,
  type Response,
  type Page as Tab,
} from 'playwright-core'
import {
  type Arrival,
  type Browser,
  type CreateDriver,
  type Hop,
  type Page,
  WalkError,
} from './driver.ts'
import { KENPO_ID_PAGES } from './kenpo-id-pages.ts'
import { createAnswers, type Member } from './page-rules.ts'

const MAX_PAGES = 30
const MAX_REPEATS = 3
const PATIENCE_MS = 15_000
/** Where a browser starts: a page on the relying party's site, which sends it to the provider. */
const START = '/conformance-start'

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')

const passkeysIn = (cdp: CDPSession, authenticatorId: string) =>
  cdp.send('WebAuthn.getCredentials', { authenticatorId })
type Passkeys = Awaited<ReturnType<typeof passkeysIn>>['credentials']

/** A passkey that the member file brings, for somebody who has registered it before. */
const passkeyGiven = (member: Member): Passkeys => {
  const { passkeyId, passkeyKey, passkeyUser, passkeySite } = member
  if (passkeyId === undefined || passkeyKey === undefined) return []
  return [
    {
      credentialId: passkeyId,
      privateKey: passkeyKey,
      isResidentCredential: true,
      ...(passkeySite !== undefined && { rpId: passkeySite }),
      ...(passkeyUser !== undefined && { userHandle: passkeyUser }),
      signCount: 1,
    },
  ]
}

type Paused = Readonly<{
  requestId: string
  request: Readonly<{ url: string; urlFragment?: string; postData?: string }>
}>

/** A page that leaves at once for the provider, as a relying party's does. */
const startPage = (url: string, form: Readonly<Record<string, string>> | undefined): string => {
  const target = new URL(url)
  const fields = form ?? Object.fromEntries(target.searchParams)
  if (!form) return `<!doctype html><script>location.href = ${JSON.stringify(url)}</script>`
  const inputs = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`,
  )
  return `<!doctype html><form method="post" action="${escaped(url)}">${inputs.join('')}</form><script>document.forms[0].submit()</script>`
}

/** Clicks a button, or the button of a form, and waits until the page is left. */
const press = async (tab: Tab, css: string): Promise<void> => {
  const element = tab.locator(css).first()
  const form = element.and(tab.locator('form'))
  const button =
    (await form.count()) === 0
      ? element
      : form
          .locator('button:not([type=button]), input[type=submit]')
          .or(tab.locator(`button[form="${await form.getAttribute('id')}"]`))
  const left = tab.waitForEvent('framenavigated')
  // A passkey offered by the browser itself may have been quicker: then there is nothing to click.
  button
    .first()
    .click()
    .catch(() => undefined)
  await left
}

/** The page's HTML, once it has come to rest. */
const contentOf = async (tab: Tab): Promise<string> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await tab.waitForLoadState('load')
      return await tab.content()
    } catch (error) {
      if (attempt === MAX_REPEATS) throw error
    }
  }
}

const fillIn = async (tab: Tab, field: string, value: string): Promise<void> => {
  const control = tab.locator(`[name="${field}"]:not([type=hidden])`).first()
  const type = await control.getAttribute('type')
  if (type === 'radio') await tab.locator(`[name="${field}"][value="${value}"]`).check()
  else if (type === 'checkbox') await control.check()
  else if ((await control.and(tab.locator('select')).count()) > 0) await control.selectOption(value)
  else await control.fill(value)
}

/** A real Chromium: `CHROMIUM_PATH`, else /usr/bin/chromium. Passkeys by a virtual authenticator. */
const create: CreateDriver = async (kit) => {
  const { wire } = kit
  const pages = kit.pages ?? KENPO_ID_PAGES
  const answers = createAnswers(pages, wire)
  const running: Chromium = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  })

  /** What each member's device holds: it outlives the browser. */
  const keyrings = new Map<string, Passkeys>()

  const open = async (member: Member, language: string): Promise<Browser> => {
    const context = await running.newContext({ locale: language, ignoreHTTPSErrors: true })
    const tab = await context.newPage()
    tab.setDefaultTimeout(PATIENCE_MS)
    const cdp = await context.newCDPSession(tab)
    await cdp.send('WebAuthn.enable', { enableUI: false })
    const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        ctap2Version: 'ctap2_1',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    })

    const own = keyrings.get(member.username ?? '') ?? passkeyGiven(member)
    for (const credential of own) {
      await cdp.send('WebAuthn.addCredential', { authenticatorId, credential })
    }

    const hopOf = async (response: Response): Promise<Hop> => {
      const request = response.request()
      const headers = await response.headersArray()
      const isRedirect = response.status() >= 300 && response.status() < 400
      const all = (name: string) =>
        headers.filter((one) => one.name.toLowerCase() === name).map((one) => one.value)
      wire.note({
        by: 'browser',
        method: request.method(),
        url: response.url(),
        requestHeaders: await request.allHeaders(),
        requestBody: request.postData() ?? '',
        status: response.status(),
        responseHeaders: { ...(await response.allHeaders()), 'set-cookie': all('set-cookie') },
        // A redirect has none that the browser would show.
        responseBody: isRedirect ? '' : await response.text().catch(() => ''),
        milliseconds: 0,
      })
      return {
        method: request.method(),
        url: response.url(),
        status: response.status(),
        location: all('location')[0],
        setCookies: all('set-cookie'),
      }
    }

    return {
      member,
      async walk(start, options): Promise<Arrival> {
        const hops: Promise<Hop>[] = []
        const seen: Page[] = []
        const met = new Map<unknown, number>()
        let last: Response | undefined
        let back: Readonly<{ url: URL; posted: string | undefined }> | undefined
        const onResponse = (response: Response) => {
          const request = response.request()
          if (!request.isNavigationRequest() || request.frame() !== tab.mainFrame()) return
          if (!response.url().startsWith('http') || options.isBack(new URL(response.url()))) return
          if (new URL(response.url()).pathname === START) return
          last = response
          hops.push(hopOf(response))
        }
        tab.on('response', onResponse)
        // Redirects are stopped here too, which `page.route` does not do.
        const onPaused = ({ requestId, request }: Paused) => {
          const url = new URL(request.url + (request.urlFragment ?? ''))
          const isStart = request.url === options.origin + START
          if (!isStart && !options.isBack(url)) {
            cdp.send('Fetch.continueRequest', { requestId }).catch(() => undefined)
            return
          }
          if (!isStart) back = { url, posted: request.postData }
          const body = isStart ? startPage(start.url, start.form) : '<!doctype html><p>back</p>'
          cdp
            .send('Fetch.fulfillRequest', {
              requestId,
              responseCode: 200,
              responseHeaders: [{ name: 'content-type', value: 'text/html' }],
              body: Buffer.from(body).toString('base64'),
            })
            .catch(() => undefined)
        }
        cdp.on('Fetch.requestPaused', onPaused)
        await cdp.send('Fetch.enable', { patterns: [{ resourceType: 'Document' }] })
        try {
          await tab.goto(options.origin + START)
          for (let count = 0; count < MAX_PAGES; count += 1) {
            await tab.waitForURL((url) => url.pathname !== START)
            await tab.waitForLoadState('load')
            const way = async () => ({ hops: await Promise.all(hops), pages: seen })
            if (back) {
              const { url, posted } = back
              const inFragment = url.hash.length > 1
              return {
                ...(await way()),
                kind: 'back',
                url,
                mode: posted !== undefined ? 'form_post' : inFragment ? 'fragment' : 'query',
                params:
                  posted !== undefined
                    ? new URLSearchParams(posted)
                    : inFragment
                      ? new URLSearchParams(url.hash.slice(1))
                      : url.searchParams,
              }
            }
            const html = await contentOf(tab)
            // It was left meanwhile: a passkey needs no click.
            if (options.isBack(new URL(tab.url()))) continue
            const root = parse(html)
            const rule = answers.ruleFor(root, member)
            const page: Page = {
              url: new URL(tab.url()),
              status: last?.status(),
              headers: (await last?.allHeaders()) ?? {},
              html,
              asking: rule?.asking,
            }
            seen.push(page)
            const arrived = async (): Promise<Arrival> => ({ ...(await way()), kind: 'page', page })
            const leave = options.cancel ? pages.cancel : undefined
            if (leave !== undefined && root.querySelector(leave)) {
              await press(tab, leave)
              continue
            }
            if (!rule || options.stopAt?.includes(rule.asking)) return await arrived()
            const times = (met.get(rule) ?? 0) + 1
            met.set(rule, times)
            if (times > MAX_REPEATS) return await arrived()
            answers.keep(rule, root, member)
            for (const [field, template] of Object.entries(rule.fill ?? {})) {
              await fillIn(tab, field, await answers.valueOf(template, member))
            }
            await press(tab, rule.press)
            await answers.done(rule, member)
          }
          throw new WalkError(`the way has no end: ${MAX_PAGES} pages, at last ${tab.url()}`)
        } finally {
          tab.off('response', onResponse)
          cdp.off('Fetch.requestPaused', onPaused)
          await cdp.send('Fetch.disable')
        }
      },
      async close() {
        const { credentials } = await passkeysIn(cdp, authenticatorId)
        if (credentials.length > 0) keyrings.set(member.username ?? '', credentials)
        await context.close()
      },
    }
  }

  return {
    name: 'chromium',
    members: kit.members,
    can: { passkey: true, headers: true },
    open: (member, { language = 'ja' } = {}) => open(member, language),
    close: () => running.close(),
  }
}
export default create
