/** Show and hide a password. It is always hidden again when it is sent. */

for (const box of document.querySelectorAll('[data-password]')) {
  const input = box.querySelector('input')
  const button = box.querySelector('button')
  const status = box.querySelector('[role=status]')

  const show = (shown) => {
    input.type = shown ? 'text' : 'password'
    button.textContent = shown ? button.dataset.hide : button.dataset.show
    button.setAttribute('aria-label', shown ? button.dataset.hideLabel : button.dataset.showLabel)
  }

  button.hidden = false
  button.addEventListener('click', () => {
    const shown = input.type === 'password'
    show(shown)
    status.textContent = shown ? button.dataset.shown : button.dataset.hidden
  })
  box.addEventListener('password:show', () => show(true))
  input.form.addEventListener('submit', () => show(false))
  addEventListener('pageshow', () => show(false))
}
