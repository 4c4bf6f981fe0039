import type { HTMLElement } from 'node-html-parser'
import { type Page, textOf } from './page.ts'

/** A field's new value: a text, an option's value, or whether a checkbox is ticked. */
export type FieldValues = Readonly<Record<string, string | boolean>>

/** What a browser sends when a form is submitted without script. */
export type Submission = Readonly<{ method: 'GET' | 'POST'; url: URL; fields: URLSearchParams }>

const isButton = (control: HTMLElement): boolean =>
  control.tagName === 'BUTTON'
    ? (control.getAttribute('type') ?? 'submit') === 'submit'
    : control.tagName === 'INPUT' && control.getAttribute('type') === 'submit'

/** The nearest of an element's ancestors, itself among them, of this kind. */
const nearest = (element: HTMLElement, tag: string): HTMLElement | undefined => {
  for (let at: HTMLElement | null = element; at; at = at.parentNode) {
    if (at.tagName === tag) return at
  }
  return undefined
}

/** The controls a form owns: inside it, or pointing at it by their `form` attribute. */
const controlsOf = (page: Page, form: HTMLElement): readonly HTMLElement[] =>
  page.root.querySelectorAll('input, select, textarea, button').filter((control) => {
    const owner = control.getAttribute('form')
    const inside = owner === undefined ? nearest(control, 'FORM') === form : owner === form.id
    return inside && !control.hasAttribute('disabled')
  })

const labelOf = (button: HTMLElement): string =>
  textOf(button) || button.getAttribute('value') || button.getAttribute('aria-label') || ''

type Choice = Readonly<{ form: HTMLElement; button: HTMLElement | undefined }>

/** A button is meant by its words, its value, or the end of the path it sends to. */
const isMeant = (wanted: string, form: HTMLElement, button: HTMLElement | undefined): boolean => {
  const action = button?.getAttribute('formaction') ?? form.getAttribute('action') ?? ''
  if (action.split('?')[0]?.endsWith(`/${wanted}`)) return true
  if (!button) return false
  return labelOf(button) === wanted || button.getAttribute('value') === wanted
}

const choose = (page: Page, wanted: string | undefined): Choice => {
  const all = page.root.querySelectorAll('form').flatMap((form): readonly Choice[] => {
    const buttons = controlsOf(page, form).filter(isButton)
    return buttons.length > 0
      ? buttons.map((button) => ({ form, button }))
      : [{ form, button: undefined }]
  })
  const inMain = all.filter(({ form }) => nearest(form, 'MAIN'))
  const choice =
    wanted === undefined
      ? (inMain[0] ?? all[0])
      : all.find(({ form, button }) => isMeant(wanted, form, button))
  if (choice) return choice
  const there = all.map(({ form, button }) =>
    [button ? labelOf(button) : '(no button)', form.getAttribute('action')].join(' → '),
  )
  throw new Error(
    `no button or form "${wanted ?? ''}" on "${page.heading}" (${page.status} ${page.url.href}); there: ${there.join('; ')}`,
  )
}

const nameOf = (control: HTMLElement): string => control.getAttribute('name') ?? ''

/** The values that stand in the controls of one name, as the page was sent. */
const standing = (control: HTMLElement): readonly string[] => {
  if (control.tagName === 'TEXTAREA') return [control.textContent]
  if (control.tagName === 'SELECT') {
    const options = control.querySelectorAll('option')
    const selected = options.filter((option) => option.hasAttribute('selected'))
    const shown = selected.length > 0 ? selected : options.slice(0, 1)
    return shown.map((option) => option.getAttribute('value') ?? textOf(option))
  }
  const value = control.getAttribute('value')
  switch (control.getAttribute('type')) {
    case 'checkbox':
    case 'radio':
      return control.hasAttribute('checked') ? [value ?? 'on'] : []
    case 'submit':
    case 'button':
    case 'reset':
    case 'image':
      return []
    default:
      return [value ?? '']
  }
}

const entered = (control: HTMLElement, value: string | boolean): readonly string[] => {
  const type = control.getAttribute('type')
  const own = control.getAttribute('value') ?? 'on'
  if (type === 'checkbox') return value === true || value === own ? [own] : []
  if (type === 'radio') return value === own ? [own] : []
  return [String(value)]
}

const mustBeOnPage = (controls: readonly HTMLElement[], values: FieldValues): void => {
  for (const [name, value] of Object.entries(values)) {
    const named = controls.filter((control) => nameOf(control) === name)
    if (named.length === 0) throw new Error(`the form has no field "${name}"`)
    const radios = named.filter((control) => control.getAttribute('type') === 'radio')
    if (radios.length === 0) continue
    const offered = radios.map((radio) => radio.getAttribute('value'))
    if (!offered.includes(String(value))) {
      throw new Error(`"${name}" offers ${offered.join(', ')} and not "${value}"`)
    }
  }
}

/**
 * Presses a button (by its words, its value, or the last part of the path it sends to; the first
 * form's first where none is named) after filling `values` in. Hidden fields go along; `required`
 * and `pattern` are not enforced, so that the server's own answer is seen.
 * @throws where the page has no such button or field
 */
export const submissionOf = (
  page: Page,
  wanted: string | undefined,
  values: FieldValues,
): Submission => {
  const { form, button } = choose(page, wanted)
  const controls = controlsOf(page, form).filter((control) => control.tagName !== 'BUTTON')
  mustBeOnPage(controls, values)
  const fields = new URLSearchParams()
  for (const control of controls) {
    const name = nameOf(control)
    if (name === '') continue
    const value = values[name]
    // A hidden field of a checkbox's name is its companion, which no member can change.
    const mayChange = control.getAttribute('type') !== 'hidden' || typeof value === 'string'
    const sent = value === undefined || !mayChange ? standing(control) : entered(control, value)
    for (const text of sent) fields.append(name, text)
  }
  const pressed = button ? nameOf(button) : ''
  if (button && pressed !== '') fields.append(pressed, button.getAttribute('value') ?? '')

  const method = button?.getAttribute('formmethod') ?? form.getAttribute('method') ?? 'get'
  const action = button?.getAttribute('formaction') ?? form.getAttribute('action') ?? ''
  const url = new URL(action === '' ? page.url.href : action, page.url)
  if (method.toLowerCase() === 'post') return { method: 'POST', url, fields }
  url.search = fields.toString()
  return { method: 'GET', url, fields: new URLSearchParams() }
}
