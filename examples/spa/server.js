// Serves the files of the single-page app, and which provider and client it is for. Everything else
// happens in the browser: public/app.js. Any web server can do the same.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const { CLIENT_ID } = process.env
const ISSUER = process.env.ISSUER ?? 'http://localhost:3000'
const APP_URL = process.env.APP_URL ?? 'http://localhost:4001'
if (!CLIENT_ID) {
  console.error('Set CLIENT_ID to what `kenpo-idp client create` printed.')
  process.exit(1)
}

const library = pathToFileURL(createRequire(import.meta.url).resolve('oidc-client-ts/package.json'))
const file = (path, type) => ({ type, read: () => readFile(new URL(path, import.meta.url)) })
const page = file('public/index.html', 'text/html; charset=utf-8')

/** Every path there is. */
const FILES = {
  '/': page,
  // The redirect URI: the same page, whose script finds the provider's answer in the address.
  '/callback': page,
  '/app.js': file('public/app.js', 'text/javascript; charset=utf-8'),
  '/oidc-client-ts.js': {
    type: 'text/javascript; charset=utf-8',
    read: () => readFile(new URL('dist/browser/oidc-client-ts.min.js', library)),
  },
  '/config.json': {
    type: 'application/json',
    read: async () => JSON.stringify({ issuer: ISSUER, clientId: CLIENT_ID }),
  },
}

// Tokens are in this page's hands: no script runs in it but our own, and it speaks with nobody but
// us and the provider.
const HEADERS = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    `connect-src 'self' ${new URL(ISSUER).origin}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
}

createServer(async (request, response) => {
  const [path] = request.url.split('?')
  const found = Object.hasOwn(FILES, path) ? FILES[path] : undefined
  if (!found) return response.writeHead(404, HEADERS).end('Not found')
  const content = await found.read()
  response.writeHead(200, { ...HEADERS, 'Content-Type': found.type }).end(content)
}).listen(new URL(APP_URL).port || 4001, 'localhost', () => {
  console.log(`Open ${APP_URL}/`)
})
