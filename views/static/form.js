/** What every page's forms do: the error summary takes focus, and nothing is sent twice. */

document.querySelector('[data-focus]')?.focus()

/** Forms on their way; the value of a pressed button is sent, so nothing is disabled. */
const sending = new Set()

document.addEventListener('submit', (event) => {
  const form = event.target
  if (sending.has(form)) {
    event.preventDefault()
    return
  }
  sending.add(form)
  event.submitter?.setAttribute('aria-disabled', 'true')
})

// A page brought back from the browser's memory may be sent again.
addEventListener('pageshow', (event) => {
  if (!event.persisted) return
  sending.clear()
  for (const button of document.querySelectorAll('button[aria-disabled]')) {
    button.removeAttribute('aria-disabled')
  }
})

for (const hint of document.querySelectorAll('[data-hide-after]')) {
  setTimeout(() => hint.remove(), Number(hint.dataset.hideAfter) * 1000)
}
