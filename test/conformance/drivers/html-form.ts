import type { HTMLElement } from 'node-html-parser'

/** What a browser without script sends when a form is submitted. */
export type Submission = Readonly<{
  method: 'GET' | 'POST'
  url: URL
  fields: readonly (readonly [string, string])[]
}>

const standing = (control: HTMLElement): readonly string[] => {
  if (control.tagName === 'TEXTAREA') return [control.textContent]
  if (control.tagName === 'SELECT') {
    const options = control.querySelectorAll('option')
    const selected = options.find((option) => option.hasAttribute('selected')) ?? options[0]
    return selected ? [selected.getAttribute('value') ?? selected.textContent] : []
  }
  const value = control.getAttribute('value')
  const type = control.getAttribute('type')
  if (type === 'checkbox' || type === 'radio') {
    return control.hasAttribute('checked') ? [value ?? 'on'] : []
  }
  return type === 'submit' || type === 'button' || type === 'image' ? [] : [value ?? '']
}

const entered = (control: HTMLElement, value: string): readonly string[] => {
  const own = control.getAttribute('value') ?? 'on'
  const type = control.getAttribute('type')
  if (type === 'checkbox' || type === 'radio') return value === own ? [own] : []
  return [value]
}

/** Presses a button or sends a form, `values` filled in by name; hidden fields go along. */
export const submissionOf = (
  pressed: HTMLElement,
  root: HTMLElement,
  page: URL,
  values: Readonly<Record<string, string>>,
): Submission => {
  if (pressed.tagName === 'A') {
    const url = new URL(pressed.getAttribute('href') ?? '', page)
    return { method: 'GET', url, fields: [] }
  }
  const named = pressed.getAttribute('form')
  const form =
    pressed.tagName === 'FORM'
      ? pressed
      : named === undefined
        ? pressed.closest('form')
        : root.getElementById(named)
  if (!form) throw new Error('the button belongs to no form')
  const fields: (readonly [string, string])[] = []
  for (const control of root.querySelectorAll('input, select, textarea')) {
    const owner = control.getAttribute('form')
    const isOwn = owner === undefined ? control.closest('form') === form : owner === form.id
    const name = control.getAttribute('name')
    if (!isOwn || !name || control.hasAttribute('disabled')) continue
    const value = values[name]
    const texts = value === undefined ? standing(control) : entered(control, value)
    for (const text of texts) fields.push([name, text])
  }
  const name = pressed.getAttribute('name')
  if (pressed !== form && name) fields.push([name, pressed.getAttribute('value') ?? ''])
  const attribute = (ofButton: string, ofForm: string) =>
    pressed.getAttribute(ofButton) ?? form.getAttribute(ofForm)
  const url = new URL(attribute('formaction', 'action') || page.href, page)
  const isPost = attribute('formmethod', 'method')?.toLowerCase() === 'post'
  if (isPost) return { method: 'POST', url, fields }
  url.search = new URLSearchParams(
    fields.map(([key, value]): [string, string] => [key, value]),
  ).toString()
  return { method: 'GET', url, fields: [] }
}
