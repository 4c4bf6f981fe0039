/** Buttons that copy a text of the page, or print it. */

const status = document.querySelector('[data-copy-status]')

for (const button of document.querySelectorAll('[data-copy]')) {
  const source = document.getElementById(button.dataset.copy)
  const rows = [...source.querySelectorAll('li')]
  // A list line by line; a key without the spaces that make it readable.
  const text = () =>
    rows.length > 0
      ? rows.map((row) => row.textContent).join('\n')
      : source.textContent.replaceAll(' ', '')
  button.hidden = false
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text())
      status.textContent = button.dataset.copied
    } catch {
      getSelection().selectAllChildren(source)
      status.textContent = button.dataset.failed
    }
  })
}

for (const button of document.querySelectorAll('[data-print]')) {
  button.hidden = false
  button.addEventListener('click', () => print())
}
