/** What every page's forms do: the error summary takes focus, and nothing is sent twice. */

// A page that answers a form stands at its own address from here on: going back to it or loading
// it again asks for it, and sends nothing a second time.
const { page } = document.body.dataset
if (page && location.pathname.startsWith(`${page}/`)) history.replaceState(null, '', page)

document.querySelector('[data-focus]')?.focus()

/** Forms on their way; the value of a pressed button is sent, so nothing is disabled. */
const sending = new Set()
/** A sending that was stopped leaves no trace: after these milliseconds the form may go again. */
const PATIENCE_MS = 10_000

const allowSending = () => {
  sending.clear()
  for (const button of document.querySelectorAll('button[aria-disabled]')) {
    button.removeAttribute('aria-disabled')
  }
}

document.addEventListener('submit', (event) => {
  const form = event.target
  if (sending.has(form)) {
    event.preventDefault()
    return
  }
  sending.add(form)
  event.submitter?.setAttribute('aria-disabled', 'true')
  setTimeout(allowSending, PATIENCE_MS)
})

// A page brought back from the browser's memory may be sent again.
addEventListener('pageshow', (event) => {
  if (event.persisted) allowSending()
})

for (const hint of document.querySelectorAll('[data-hide-after]')) {
  setTimeout(() => hint.remove(), Number(hint.dataset.hideAfter) * 1000)
}
