/** Parameters, JSON members and form fields whose value is never shown. */
const SECRET_NAMES = new Set([
  'access_token',
  'client_secret',
  'code',
  'code_verifier',
  'csrf',
  'device_code',
  'initial_access_token',
  'newpassword',
  'password',
  'refresh_token',
  'registration_access_token',
  'token',
  'totpsecret',
  'xsrf',
])
/** JWTs of which only the signature is hidden: without it they prove nothing, and a reader needs the rest. */
const SIGNED_NAMES = new Set([
  'client_assertion',
  'id_token',
  'id_token_hint',
  'logout_token',
  'request',
])
/** Shorter values are too likely to stand in a text by chance. */
const SHORTEST = 6

/** Knows the secrets of a run and hides them, each behind a name that stays the same. */
export interface Mask {
  learn(name: string, value: string): void
  /** Whatever in these parameters, form fields or JSON members is secret. */
  learnAll(entries: Iterable<readonly [string, unknown]>): void
  /** The text with every secret known by now replaced. */
  hide(text: string): string
}

/** The ways in which one value stands in addresses, forms, JSON and HTML. */
const writings = (value: string): readonly string[] => [
  value,
  encodeURIComponent(value),
  new URLSearchParams([['', value]]).toString().slice(1),
  JSON.stringify(value).slice(1, -1),
  value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;'),
]

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

export const createMask = (): Mask => {
  const labels = new Map<string, string>()
  const counts = new Map<string, number>()
  let pattern: RegExp | undefined

  const learn = (name: string, value: string): void => {
    if (value.length < SHORTEST || labels.has(value)) return
    const count = (counts.get(name) ?? 0) + 1
    counts.set(name, count)
    const label = `«${name} ${count}»`
    for (const written of writings(value)) labels.set(written, label)
    pattern = undefined
  }

  return {
    learn,
    learnAll(entries) {
      for (const [name, value] of entries) {
        if (typeof value !== 'string') continue
        const key = name.toLowerCase()
        if (SECRET_NAMES.has(key)) learn(key, value)
        else if (SIGNED_NAMES.has(key)) learn(`${key} signature`, value.split('.').at(-1) ?? '')
      }
    },
    hide(text) {
      if (labels.size === 0) return text
      pattern ??= new RegExp(
        [...labels.keys()]
          .sort((a, b) => b.length - a.length)
          .map(escaped)
          .join('|'),
        'g',
      )
      return text.replace(pattern, (found) => labels.get(found) ?? found)
    },
  }
}
