/**
 * Tells the browser which passkeys are good, after a change (WebAuthn Level 3 section 5.1.10): one
 * that was removed here is then no longer offered. Browsers that do not know this are left alone.
 */

const { rpId, userId, allAcceptedCredentialIds, name, displayName } = JSON.parse(
  document.querySelector('[data-signals]').dataset.signals,
)
const { PublicKeyCredential: credential } = globalThis

await Promise.allSettled([
  credential?.signalAllAcceptedCredentials?.({ rpId, userId, allAcceptedCredentialIds }),
  credential?.signalCurrentUserDetails?.({ rpId, userId, name, displayName }),
])
