/** Says at the passkey's card that this browser has none; it can be chosen for another browser. */

if (globalThis.PublicKeyCredential === undefined) {
  for (const why of document.querySelectorAll('[data-without-passkeys]')) why.hidden = false
}
