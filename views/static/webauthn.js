/**
 * Passkeys: the browser's half of a ceremony. On a press it asks the device, puts the answer or why
 * there is none into the form's hidden fields, and sends the form: what to say is the server's to
 * know. On the login page the browser may also offer passkeys in the user ID field by itself.
 */
import './simplewebauthn-browser.js'

const {
  browserSupportsWebAuthn,
  browserSupportsWebAuthnAutofill,
  getBrowserCapabilities,
  platformAuthenticatorIsAvailable,
  sendSignal,
  startAuthentication,
  startRegistration,
} = globalThis.SimpleWebAuthnBrowser

const form = document.querySelector('#ceremony')
const { ceremony, where, autofill } = form.dataset
const supported = browserSupportsWebAuthn()

/** A challenge is good for five minutes; a page may be open for longer. */
const MARGIN_MS = 30_000
const readOptions = (page) => JSON.parse(page.querySelector('#passkey-options').textContent)
let options = readOptions(document)
let readAt = performance.now()
const isOld = () => performance.now() - readAt > options.timeout - MARGIN_MS

/** The options of this page, or those of the same page asked for anew. */
const currentOptions = async () => {
  if (!isOld()) return options
  const response = await fetch(location.href)
  options = readOptions(new DOMParser().parseFromString(await response.text(), 'text/html'))
  readAt = performance.now()
  return options
}

const send = (name, value) => {
  form.elements.response.value = ''
  form.elements.failure.value = ''
  form.elements[name].value = value
  form.submit()
}

/** What to say of an error; most of them, a closed screen among them, come under one name. */
const failureOf = async (error) => {
  if (error.name === 'InvalidStateError') return 'pk.dup'
  if (error.name === 'ConstraintError') return 'pk.nolock'
  if (['NotSupportedError', 'SecurityError'].includes(error.name)) return 'pk.unsupported'
  const here = ceremony === 'registration' && where === 'here'
  return here && !(await platformAuthenticatorIsAvailable()) ? 'pk.nolock' : 'pk.cancel'
}

let asking = false
const ask = async () => {
  if (asking) return
  if (!supported) return send('failure', 'pk.unsupported')
  asking = true
  const button = document.querySelector('button[form=ceremony], #ceremony button')
  button.setAttribute('aria-disabled', 'true')
  try {
    // The library's one abort controller ends the autofill's request first.
    const start = ceremony === 'registration' ? startRegistration : startAuthentication
    send('response', JSON.stringify(await start({ optionsJSON: await currentOptions() })))
  } catch (error) {
    send('failure', await failureOf(error))
  }
}
// Caught on its way down, so that the form's own send does not count yet.
form.addEventListener(
  'submit',
  (event) => {
    event.preventDefault()
    event.stopPropagation()
    ask()
  },
  { capture: true },
)
addEventListener('pageshow', (event) => {
  if (!event.persisted) return
  asking = false
  document.querySelector('button[form=ceremony], #ceremony button').removeAttribute('aria-disabled')
})

/** Passkeys in the user ID field: silent when it fails, and over once the button is pressed. */
const offerInField = async () => {
  if (asking || !(await browserSupportsWebAuthnAutofill())) return
  try {
    const optionsJSON = await currentOptions()
    setTimeout(() => offerInField(), options.timeout - MARGIN_MS + 1000)
    const response = await startAuthentication({ optionsJSON, useBrowserAutofill: true })
    asking = true
    send('response', JSON.stringify(response))
  } catch {
    // Nobody asked for it: the fields and the button are there.
  }
}

/** A passkey that is gone here goes from the browser's list too, where the browser can. */
const unknown = document.querySelector('[data-unknown-credential]')?.dataset.unknownCredential
if (unknown && supported) {
  sendSignal({
    signalName: 'unknownCredential',
    rpID: options.rpId,
    credentialID: unknown,
  }).catch(() => {})
}

if (supported) {
  form.hidden = false
  if (autofill !== undefined) offerInField()
  const phone = document.querySelector('[data-hybrid]')
  const unready = document.querySelector('[data-without-platform]')
  if (phone || unready) {
    const [{ hybridTransport }, platform] = await Promise.all([
      getBrowserCapabilities(),
      platformAuthenticatorIsAvailable(),
    ])
    // On a phone, "this device" is the phone.
    const onPhone = platform && matchMedia('(pointer: coarse)').matches
    if (phone) phone.hidden = hybridTransport === 'unsupported' || onPhone
    if (unready) unready.hidden = platform
  }
}
