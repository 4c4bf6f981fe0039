import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { anOldHand } from '../flows/support.ts'
import { aDesktop, closeBrowser } from '../support/browser.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { enterMailedCode, logIn } from './signing-in.ts'

let idp: Idp
/** A relying party of another site than ours: 127.0.0.1, not localhost. */
let app: Server
let origin: string
let page: Page
/** What came to the redirect URI, by which method. */
const answers: { method: string; form: URLSearchParams }[] = []

const startPage = (over: Readonly<Record<string, string>>): string => {
  const parameters = {
    client_id: 'elsewhere',
    redirect_uri: `${origin}/cb`,
    response_type: 'code',
    response_mode: 'form_post',
    scope: 'openid',
    state: 'a state & "more"',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    ...over,
  }
  const inputs = Object.entries(parameters).map(
    ([name, value]) =>
      `<input type="hidden" name="${name}" value="${value.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}">`,
  )
  return `<!doctype html><meta charset="utf-8"><title>App</title>
    <form method="post" action="${idp.issuer}/auth">${inputs.join('')}<button>Sign in</button></form>`
}

beforeAll(async () => {
  app = createServer(async (request, response) => {
    const url = new URL(request.url ?? '', origin)
    response.setHeader('content-type', 'text/html; charset=utf-8')
    if (url.pathname === '/cb') {
      answers.push({ method: request.method ?? '', form: new URLSearchParams(await text(request)) })
      response.end('<!doctype html><title>App</title><h1>Signed in</h1>')
    } else response.end(startPage(Object.fromEntries(url.searchParams)))
  })
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(app.address() as AddressInfo).port}` // TCP, so no path
  idp = await startIdp({
    clients: [
      {
        client_id: 'elsewhere',
        client_name: 'よそのアプリ',
        client_secret: 'a-secret-of-the-app-elsewhere-for-this-test',
        redirect_uris: [`${origin}/cb`],
        policy: { society: 'sakura', requiredAcr: 'urn:kenpo-id:acr:email' },
      },
    ],
  })
  page = await aDesktop('ja-JP')
})
afterAll(async () => {
  await closeBrowser()
  await idp.close()
  app.close()
})

const signIn = async (query = ''): Promise<void> => {
  await page.goto(`${origin}/${query}`)
  await page.getByRole('button', { name: 'Sign in' }).click()
}
const arrived = () => page.getByRole('heading', { name: 'Signed in' }).waitFor()

test('a request posted from another site signs in, and the answer is posted back there', async () => {
  const member = await idp.services.members.save(anOldHand(idp.clock.now()))
  await signIn()
  await logIn(page, member)
  await enterMailedCode(page, idp, member)
  await arrived()
  const [answer] = answers
  expect(answer?.method).toBe('POST')
  expect(answer?.form.get('code')).toBeTruthy()
  expect(answer?.form.get('state')).toBe('a state & "more"')
  expect(answer?.form.get('iss')).toBe(idp.issuer)
  expect(new URL(page.url()).search).toBe('')
})

test('the next one finds the session, though no cookie of ours goes with a post from elsewhere', async () => {
  await signIn('?prompt=none')
  await arrived()
  expect(answers[1]?.form.get('error')).toBeNull()
  expect(answers[1]?.form.get('code')).toBeTruthy()
})

test('without JavaScript a button posts it', async () => {
  const storageState = await page.context().storageState()
  const quiet = await aDesktop('ja-JP', { javaScriptEnabled: false, storageState })
  await quiet.goto(origin)
  await quiet.getByRole('button', { name: 'Sign in' }).click()
  await quiet.getByRole('button', { name: '次へ進む' }).click()
  await quiet.getByRole('heading', { name: 'Signed in' }).waitFor()
  expect(answers.at(-1)?.form.get('code')).toBeTruthy()
})
