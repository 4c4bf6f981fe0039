/** The checklist beside a new password, and a password made here. */

const input = document.querySelector('#password')
const list = document.querySelector('#rules')
const rules = [...list.querySelectorAll('li[data-pattern]')].map((row) => ({
  row,
  pattern: new RegExp(row.dataset.pattern, 'u'),
}))

const check = () => {
  for (const { row, pattern } of rules) {
    const met = pattern.test(input.value)
    row.classList.toggle('ok', met)
    row.querySelector('.state').textContent = met ? list.dataset.met : list.dataset.open
  }
}
input.addEventListener('input', check)

// No 0 and O, no 1, l and I: it may have to be written down.
const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789'

/** Evenly drawn: bytes beyond the last whole multiple of the alphabet are thrown away. */
const draw = (count) => {
  const limit = 256 - (256 % LETTERS.length)
  let drawn = ''
  while (drawn.length < count) {
    const [byte] = crypto.getRandomValues(new Uint8Array(1))
    if (byte < limit) drawn += LETTERS[byte % LETTERS.length]
  }
  return drawn
}

/** Twenty letters and digits in groups of five, about 116 bits. */
const candidate = () => [draw(5), draw(5), draw(5), draw(5)].join('-')

const fits = (password) =>
  /[A-Z]/u.test(password) &&
  /[a-z]/u.test(password) &&
  /[0-9]/u.test(password) &&
  rules.every(({ pattern }) => pattern.test(password))

const generate = document.querySelector('#generate')
const note = document.querySelector('[data-generated]')
generate.hidden = false
generate.addEventListener('click', () => {
  let password = candidate()
  for (let turn = 0; turn < 50 && !fits(password); turn += 1) password = candidate()
  input.value = password
  check()
  input.parentElement.dispatchEvent(new CustomEvent('password:show'))
  note.hidden = false
  note.textContent = note.dataset.generated
})
