import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type axe from 'axe-core'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const SCREENSHOTS = join(dirname(fileURLToPath(import.meta.url)), '../browser/screenshots')

/** A third of the size of `axe.source`, which takes longer to hand to a page than to run. */
const AXE = readFileSync(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8')

const AXE_TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** How long a page may take to show what is waited for, on a slow machine. */
const PATIENCE_MS = 20_000

const running = new Map<string, Promise<Browser>>()

/** One Chromium for the whole test file (and one more for each setting), started when first needed. */
const theBrowser = (settings: readonly string[]): Promise<Browser> => {
  const key = settings.join(' ')
  const launched = running.get(key)
  if (launched) return launched
  const launching = chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...settings,
    ],
  })
  running.set(key, launching)
  return launching
}

/** Settings of a browser whose user has made the text twice as large. */
export const TEXT_200: readonly string[] = ['--blink-settings=defaultFontSize=32']

/** For `afterAll`. */
export const closeBrowser = async (): Promise<void> => {
  const browsers = await Promise.all(running.values())
  running.clear()
  for (const browser of browsers) await browser.close()
}

/** What each page's console and network complained of. */
const complaints = new WeakMap<Page, string[]>()

/** Pages on which axe, itself a script, cannot run. */
const scriptless = new WeakSet<Page>()

const listenTo = (page: Page): void => {
  const heard: string[] = []
  const answered = new Set<string>()
  complaints.set(page, heard)
  page.on('response', (response) => {
    if (response.request().isNavigationRequest()) answered.add(response.url())
  })
  page.on('console', (message) => {
    // Chromium reports the status of a page itself as an error; 422 is how a fault is answered.
    const isOwnStatus = /status of 4/.test(message.text()) && answered.has(message.location().url)
    if (message.type() === 'error' && !isOwnStatus) heard.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => heard.push(`script: ${error.message}`))
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText ?? ''
    // A page that is left aborts what it was still asking for.
    if (reason !== 'net::ERR_ABORTED') heard.push(`request: ${request.url()} ${reason}`)
  })
}

/** A browser of its own (cookies, storage), with one page; every page notes its complaints. */
const aBrowser = async (
  options: BrowserContextOptions,
  settings: readonly string[],
): Promise<Page> => {
  const browser = await theBrowser(settings)
  const context = await browser.newContext({ timezoneId: 'Asia/Tokyo', ...options })
  context.setDefaultTimeout(PATIENCE_MS)
  context.on('page', listenTo)
  const page = await context.newPage()
  if (options.javaScriptEnabled === false) scriptless.add(page)
  return page
}

/** A phone: 390×844 at twice the density, touch, and the browser's language. */
export const aPhone = (
  locale = 'ja-JP',
  options: BrowserContextOptions = {},
  settings: readonly string[] = [],
): Promise<Page> =>
  aBrowser(
    {
      locale,
      viewport: { width: 390, height: 844 },
      deviceScaleFactor: 2,
      isMobile: true,
      hasTouch: true,
      ...options,
    },
    settings,
  )

/** A desktop: 1280×900, a mouse and a keyboard. */
export const aDesktop = (
  locale = 'ja-JP',
  options: BrowserContextOptions = {},
  settings: readonly string[] = [],
): Promise<Page> =>
  aBrowser({ locale, viewport: { width: 1280, height: 900 }, ...options }, settings)

type Measured = Readonly<{
  scroll: number
  client: number
  lang: string
  /** The language whose name in the switch is not a link. */
  chosen: string
  faulty: boolean
  title: string
  small: readonly string[]
}>

/**
 * In CSS pixels: what is pressed is 44 high (WCAG 2.5.5), a link among other words 24 (2.5.8). A
 * radio button or a check box is pressed through its label.
 */
const MEASURE = `(() => {
  const shown = (each) => each.checkVisibility() && !each.closest('.vh')
  const target = (each) => (/^(radio|checkbox)$/.test(each.type) && each.closest('label')) || each
  const amongWords = (each) =>
    each.matches('a') && [...each.parentNode.childNodes].some((near) => near.nodeType === 3 && near.data.trim())
  const least = (each) => (amongWords(each) || each.closest('.sum, .tries') ? 24 : 44)
  const current = document.querySelector('nav.lang [aria-current], header nav [aria-current]')
  return {
    scroll: document.documentElement.scrollWidth,
    client: document.documentElement.clientWidth,
    lang: document.documentElement.lang,
    chosen: { 日本語: 'ja', English: 'en' }[current?.textContent.trim()] ?? '',
    faulty: document.querySelector('[role=alert]') !== null,
    title: document.title,
    small: [...document.querySelectorAll('main :is(a, button, summary, select, input:not([type=hidden]))')]
      .filter(shown)
      .map((each) => [each, target(each).getBoundingClientRect().height])
      .filter(([each, height]) => height < least(each) - 0.5)
      .map(([each, height]) => height + ' px: ' + each.outerHTML.slice(0, 90)),
  }
})()`

/** What a page's own measures say against it. */
const flawsOf = (measured: Measured): readonly string[] => {
  const { scroll, client, lang, chosen, faulty, title, small } = measured
  const says = /^(?:エラー：|Error: )/u.test(title)
  return [
    ...(scroll > client ? [`overflow: ${scroll} px of content in ${client} px`] : []),
    ...(chosen !== '' && lang !== chosen ? [`language: ${chosen} is chosen, lang is ${lang}`] : []),
    ...(faulty !== says
      ? [`title: "${title}" on a page ${faulty ? 'with' : 'without'} fault`]
      : []),
    ...small.map((one) => `target: ${one}`),
  ]
}

/** What the console and the network reported since this was last asked. */
export const heardFrom = (page: Page): readonly string[] => complaints.get(page)?.splice(0) ?? []

/** Our pages have no frames, so axe runs in the page itself: @axe-core/playwright takes five times
 * as long for a second page to gather frames' results. */
const violationsOn = async (page: Page): Promise<axe.AxeResults['violations']> => {
  await page.evaluate(AXE)
  const options = JSON.stringify({ runOnly: AXE_TAGS, resultTypes: ['violations'] })
  return page.evaluate(`axe.run(document, ${options}).then(({ violations }) => violations)`)
}

/** Takes the pictures of an earlier run away. */
export const forgetPictures = (folder: string): void =>
  rmSync(join(SCREENSHOTS, folder), { recursive: true, force: true })

/** Takes a picture of the whole page: test/browser/screenshots/<name>.png. */
export const takePicture = async (page: Page, name: string): Promise<void> => {
  const path = join(SCREENSHOTS, `${name}.png`)
  mkdirSync(dirname(path), { recursive: true })
  const shoot = () => page.screenshot({ path, fullPage: true, scale: 'css' })
  // On a busy machine the browser now and then has no frame to give; the page is as it was.
  await shoot().catch((error: unknown) => {
    if (!String(error).includes('Unable to capture screenshot')) throw error
    return shoot()
  })
}

/**
 * Takes a picture of the whole page (test/browser/screenshots/<name>.png) and says what is wrong
 * with it: accessibility violations (axe, WCAG 2.2 A and AA and best practice), anything the
 * console reported since the last look (CSP violations among it), sideways scrolling, `lang` other
 * than the language chosen, a fault that the title keeps quiet about, targets too small to press.
 * Empty: well.
 */
export const look = async (page: Page, name: string): Promise<readonly string[]> => {
  await takePicture(page, name)
  const violations = scriptless.has(page) ? [] : await violationsOn(page)
  return [
    ...violations.map(({ id, help, nodes }) => {
      const places = nodes.map(({ target }) => target.join(' ')).join(', ')
      return `axe ${id}: ${help} (${places})`
    }),
    ...heardFrom(page),
    ...flawsOf(await page.evaluate<Measured>(MEASURE)),
  ]
}
