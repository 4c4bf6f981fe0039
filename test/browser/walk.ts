import { expect } from '@jest/globals'
import type { Page, Request } from 'playwright-core'
import { forgetPictures, look } from '../support/browser.ts'

/** One member's way through the pages, seen and counted. */
export interface Walk {
  /**
   * Expects the page with this heading and looks at it: test/browser/screenshots/<walk>/<nn-name>.png.
   * `other`: a page of the same walk in another tab or on another device.
   */
  see(name: string, heading: string, other?: Page): Promise<void>
  /** The words of each row of the error summary; [] where there is none. */
  faults(): Promise<readonly string[]>
  /** Presses a button or a link that says this. */
  press(name: string): Promise<void>
}

/** The text of the h1, without furigana. */
export const headingOf = (page: Page): Promise<string> =>
  page.evaluate<string>(`(() => {
    const copy = document.querySelector('h1').cloneNode(true)
    for (const reading of copy.querySelectorAll('rt, rp')) reading.remove()
    return copy.textContent.trim()
  })()`)

export const aWalk = (page: Page, name: string): Walk => {
  forgetPictures(name)
  let pictures = 0
  return {
    async see(what, heading, other = page) {
      pictures += 1
      const picture = `${name}/${String(pictures).padStart(2, '0')}-${what}`
      const wrong = await look(other, picture)
      expect({ picture, heading: await headingOf(other), wrong }).toEqual({
        picture,
        heading,
        wrong: [],
      })
    },
    faults: async () =>
      (await page.locator('[role=alert] li').allTextContents()).map((row) => row.trim()),
    async press(words) {
      await page.getByRole('button', { name: words, exact: true }).click()
    },
  }
}

/** What a browser asked for, as members and operators count it. */
export type Counts = Readonly<{
  authorizationRequests: number
  logouts: number
  /** Documents shown; redirects on the way are none. */
  pageLoads: number
}>

/** Counts from here on. */
export const counting = (page: Page, issuer: string): (() => Counts) => {
  const asked: Request[] = []
  let pageLoads = 0
  page.on('request', (request) => asked.push(request))
  page.on('response', (response) => {
    const isDocument =
      response.request().isNavigationRequest() && response.frame() === page.mainFrame()
    const isRedirect = response.status() >= 300 && response.status() < 400
    if (isDocument && !isRedirect) pageLoads += 1
  })
  const to = (path: string) => asked.filter((request) => request.url().startsWith(issuer + path))
  return () => ({
    authorizationRequests: to('/auth?').length,
    logouts: to('/session/end').length,
    pageLoads,
  })
}
