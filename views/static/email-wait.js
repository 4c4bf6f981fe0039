/** Asks whether the mailed link was opened, here or on another device, and then moves on. */

const status = document.querySelector('#mail-status')
const { statusPath, next, confirmed, delayed } = status.dataset

const FIRST_MS = 2000
const EVERY_MS = 3000
const SLOW_MS = 5000
/** After these many milliseconds it asks less often; after those it stops. */
const SLOWS_MS = 2 * 60_000
const STOPS_MS = 15 * 60_000

const started = performance.now()
const byHand = document.querySelector('.without-script')
byHand.hidden = true

const say = (text, look) => {
  const note = document.createElement('div')
  note.className = `note ${look}`
  note.textContent = text
  status.replaceChildren(note)
}

const ask = async () => {
  const elapsed = performance.now() - started
  if (elapsed > STOPS_MS) {
    byHand.hidden = false
    return
  }
  try {
    const response = await fetch(statusPath, { headers: { accept: 'application/json' } })
    if (response.status >= 400 && response.status < 500 && response.status !== 429) {
      byHand.hidden = false
      return
    }
    if (response.ok) {
      const state = await response.json()
      if (state.confirmed) {
        say(confirmed, 'ok')
        location.assign(next)
        return
      }
      if (state.delayed && status.childElementCount === 0) say(delayed, 'warn')
      if (!state.delayed) status.replaceChildren()
    }
  } catch {
    // No network for a moment: ask again.
  }
  setTimeout(ask, elapsed > SLOWS_MS ? SLOW_MS : EVERY_MS)
}
setTimeout(ask, FIRST_MS)
