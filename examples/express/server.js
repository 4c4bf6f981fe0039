// An Express app whose members sign in with Kenpo ID: authorization code flow with PKCE, a client
// secret, a session of its own, step-up, and sign-out in both directions. See README.md.
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import express from 'express'
import session from 'express-session'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as oidc from 'openid-client'

const { CLIENT_ID, CLIENT_SECRET } = process.env
const ISSUER = process.env.ISSUER ?? 'http://localhost:3000'
const APP_URL = process.env.APP_URL ?? 'http://localhost:4000'
if (!CLIENT_ID || !CLIENT_SECRET) {
  console.error('Set CLIENT_ID and CLIENT_SECRET to what `kenpo-idp client create` printed.')
  process.exit(1)
}

// Reads <issuer>/.well-known/openid-configuration: no other address of the provider is needed.
const provider = await oidc
  .discovery(new URL(ISSUER), CLIENT_ID, undefined, oidc.ClientSecretBasic(CLIENT_SECRET), {
    // The library speaks https only, unless told otherwise: for a provider on this machine.
    execute: new URL(ISSUER).hostname === 'localhost' ? [oidc.allowInsecureRequests] : [],
  })
  .catch((error) => {
    console.error(`No provider at ${ISSUER}: ${error.cause?.message ?? error.message}`)
    process.exit(1)
  })

// In memory, so a restart signs everybody out. In production use a store that all instances share.
const store = new session.MemoryStore()
const app = express()
// Behind a TLS front in production: trust its X-Forwarded-Proto, or no Secure cookie is set.
if (APP_URL.startsWith('https:')) app.set('trust proxy', 1)

/** What the page shows. JSON with its "<" escaped is harmless in HTML. */
const page = (title, ...parts) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>
<link rel="icon" href="data:,"><h1>${title}</h1>${parts.join('\n')}</html>`
const asText = (value) =>
  `<pre>${JSON.stringify(value, null, 2).replaceAll('<', '\\u003c').replaceAll('&', '\\u0026')}</pre>`

// --- Back-channel logout -------------------------------------------------------------------------
// The provider itself calls when a member's session has ended elsewhere. No browser takes part, so
// there is no cookie, and this route stands before the session.
const keys = createRemoteJWKSet(new URL(provider.serverMetadata().jwks_uri))
const LOGOUT = 'http://schemas.openid.net/event/backchannel-logout'

app.post('/backchannel-logout', express.urlencoded({ extended: false }), async (req, res) => {
  let ended
  try {
    const { payload } = await jwtVerify(req.body?.logout_token ?? '', keys, {
      issuer: provider.serverMetadata().issuer,
      audience: CLIENT_ID,
      typ: 'logout+jwt',
      requiredClaims: ['iat', 'exp', 'jti', 'sid'],
    })
    if (!payload.events?.[LOGOUT] || 'nonce' in payload) throw new Error('this is no logout token')
    ended = payload.sid
  } catch (error) {
    console.error('logout token refused:', error.message)
    return res.status(400).json({ error: 'invalid_request' })
  }
  // A store in a database would keep an index from `sid` to session.
  const sessions = await promisify(store.all.bind(store))()
  for (const [id, { claims }] of Object.entries(sessions)) {
    if (claims?.sid === ended) await promisify(store.destroy.bind(store))(id)
  }
  res.status(200).end()
})

// --- The app's own session -----------------------------------------------------------------------
app.use(
  session({
    name: 'express_example',
    store,
    secret: process.env.SESSION_SECRET ?? randomBytes(32).toString('base64url'),
    resave: false,
    saveUninitialized: false,
    // `lax`: the member comes back from another site by a link, and posts only from our own.
    cookie: { httpOnly: true, sameSite: 'lax', secure: APP_URL.startsWith('https:') },
  }),
)

/** A new session ID whenever it changes who is there (session fixation), with this and no more. */
const renewSession = async (req, content) => {
  await promisify(req.session.regenerate.bind(req.session))()
  Object.assign(req.session, content)
}

// --- Signing in ----------------------------------------------------------------------------------
/** Sends the member to the provider; what the answer is checked by stays in the session. */
const startSignIn = async (req, res, returnTo, extra = {}) => {
  const checks = {
    pkceCodeVerifier: oidc.randomPKCECodeVerifier(),
    expectedState: oidc.randomState(),
    expectedNonce: oidc.randomNonce(),
  }
  req.session.signIn = { checks, returnTo }
  const to = oidc.buildAuthorizationUrl(provider, {
    redirect_uri: `${APP_URL}/callback`,
    scope: 'openid profile email',
    code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...extra,
  })
  res.redirect(303, to.href)
}

app.get('/login', (req, res) => startSignIn(req, res, '/'))

app.get('/callback', async (req, res) => {
  const { signIn } = req.session
  // An answer that this browser did not ask for, or the back button.
  if (!signIn) return res.redirect(303, '/')
  delete req.session.signIn
  // Checks state, iss, nonce, PKCE, and the ID token's signature, issuer, audience and time.
  const tokens = await oidc.authorizationCodeGrant(
    provider,
    new URL(req.originalUrl, APP_URL),
    signIn.checks,
  )
  const claims = tokens.claims()
  // More about the member; the `sub` must be the ID token's.
  const userInfo = await oidc.fetchUserInfo(provider, tokens.access_token, claims.sub)
  await renewSession(req, { claims, userInfo, idToken: tokens.id_token })
  res.redirect(303, signIn.returnTo)
})

// --- Pages ---------------------------------------------------------------------------------------
app.get('/', (req, res) => {
  const { claims, userInfo } = req.session
  if (!claims) return res.send(page('Not signed in', '<p><a href="/login">Sign in</a>'))
  res.send(
    page(
      'Signed in',
      '<p><a href="/records">Health records</a>',
      '<form method="post" action="/logout"><button>Sign out</button></form>',
      '<h2>ID token</h2>',
      asText(claims),
      '<h2>UserInfo</h2>',
      asText(userInfo),
    ),
  )
})

// --- Step-up -------------------------------------------------------------------------------------
// Strongest first: a passkey, or an authenticator app. The ID token's `acr` says what was proven.
const STRONG = ['phr', 'https://refeds.org/profile/mfa']

app.get('/records', (req, res) => {
  const { claims } = req.session
  if (!claims) return startSignIn(req, res, '/records')
  if (!STRONG.includes(claims.acr)) {
    // acr_values is a wish: the member may come back with no more than before. So look at `acr`
    // each time, and let the member decide to go: a redirect here could go round and round.
    return res
      .status(403)
      .send(
        page(
          'One more step',
          '<p>Health records need a passkey or an authenticator app.',
          '<p><a href="/step-up">Continue</a>',
          `<p>You have neither? Register one first: <a href="${ISSUER}/account">Login settings</a>`,
        ),
      )
  }
  res.send(page('Health records', '<p>Nothing here yet. <a href="/">Home</a>'))
})

app.get('/step-up', (req, res) =>
  startSignIn(req, res, '/records', { acr_values: STRONG.join(' ') }),
)

// --- Signing out ---------------------------------------------------------------------------------
// Here first, then at the provider, which asks whether to sign out everywhere and sends the member
// back to a registered post_logout_redirect_uri.
app.post('/logout', async (req, res) => {
  const { idToken } = req.session
  await promisify(req.session.destroy.bind(req.session))()
  if (!idToken) return res.redirect(303, '/')
  const to = oidc.buildEndSessionUrl(provider, {
    id_token_hint: idToken,
    post_logout_redirect_uri: `${APP_URL}/`,
  })
  res.redirect(303, to.href)
})

// --- When it goes wrong --------------------------------------------------------------------------
app.use((error, _req, res, next) => {
  if (res.headersSent) return next(error)
  // The provider answered with an error: access_denied means that the member turned back.
  if (error instanceof oidc.AuthorizationResponseError) {
    if (error.error === 'access_denied') return res.redirect(303, '/')
    console.error('refused:', error.error, error.error_description)
  } else if (error instanceof oidc.ResponseBodyError) {
    console.error('the token endpoint refused:', error.error, error.error_description)
  } else console.error(error)
  res.status(502).send(page('You are not signed in', '<p><a href="/login">Try again</a>'))
})

app.listen(new URL(APP_URL).port || 4000, 'localhost', (error) => {
  if (error) throw error
  console.log(`Open ${APP_URL}/`)
})
