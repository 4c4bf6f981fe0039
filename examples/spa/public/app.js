// A single-page app whose members sign in with Kenpo ID: authorization code flow with PKCE. A page
// can keep no secret, so the client has none. `oidc` is the library: /oidc-client-ts.js.
const element = (id) => document.getElementById(id)

/** Text only: what a provider or an address says is never put into the page as HTML. */
const show = ({ heading, message = '', claims, signedIn = false }) => {
  element('heading').textContent = heading
  element('message').textContent = message
  element('claims').textContent = claims ? JSON.stringify(claims, null, 2) : ''
  element('sign-in').hidden = signedIn
  element('sign-out').hidden = !signedIn
}

const { issuer, clientId } = await (await fetch('/config.json')).json()

// Tokens of the signed-in member are kept in sessionStorage: this tab's, gone when it is closed. Any
// script on this page could read them, hence the strict Content-Security-Policy in server.js.
const storage = new oidc.WebStorageStateStore({ store: window.sessionStorage })
const manager = new oidc.UserManager({
  authority: issuer,
  client_id: clientId,
  redirect_uri: `${window.location.origin}/callback`,
  post_logout_redirect_uri: `${window.location.origin}/`,
  scope: 'openid profile email',
  // Ask the UserInfo endpoint for what the scopes give.
  loadUserInfo: true,
  // Leave acr, amr and auth_time in the profile: they say how and when the member signed in.
  filterProtocolClaims: ['nonce', 'at_hash', 'iat', 'exp', 'nbf', 'jti'],
  userStore: storage,
  stateStore: storage,
  // Nothing here calls an API, so no token needs to be renewed.
  automaticSilentRenew: false,
})

/** The provider's answer, where this page was opened by it; taken out of the address bar at once. */
const finishSignIn = async () => {
  const answer = window.location.href
  window.history.replaceState(null, '', '/')
  try {
    // Checks `state`, sends the code with the PKCE verifier, and compares UserInfo's `sub`.
    await manager.signinCallback(answer)
  } catch (error) {
    // access_denied: the member turned back, which is no fault.
    if (error instanceof oidc.ErrorResponse && error.error === 'access_denied') return
    return error
  }
}

const fault = window.location.pathname === '/callback' ? await finishSignIn() : undefined
const user = await manager.getUser()

if (fault) show({ heading: 'You are not signed in', message: fault.message })
else if (!user || user.expired) show({ heading: 'Not signed in' })
else show({ heading: 'Signed in', claims: user.profile, signedIn: true })

// More of a proof for one request: manager.signinRedirect({ acr_values: 'phr' }). It is a wish; look
// at profile.acr afterwards. What must be safe is checked by your API, not by this page.
element('sign-in').addEventListener('click', () => manager.signinRedirect())
// Forgets the tokens here, then signs out at the provider.
element('sign-out').addEventListener('click', () => manager.signoutRedirect())
