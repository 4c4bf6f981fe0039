/** What a form has: a value for each field that would be taken, and what is known of the fields. */
export type FormShape = Readonly<{
  fields: Readonly<Record<string, string>>
  /** Fields without which the form is incomplete. */
  needed: readonly string[]
  /** The longest value of each field, in characters, where it is known. */
  longest?: Readonly<Record<string, number>>
}>

/** A body that no browser makes of our form, and the statuses it may be answered with. */
export type Body = Readonly<{
  what: string
  type: string
  body: string
  statuses: readonly number[]
}>

const FORM = 'application/x-www-form-urlencoded'

/** A body of more than the 16 KB that are read is refused; before that, a value of ours is. */
const overlong = (
  name: string,
  max: number | undefined,
): Omit<Body, 'type' | 'body'> & Readonly<{ value: string }> =>
  max !== undefined && max > 5000
    ? { what: `${name} of 17 KB`, value: 'x'.repeat(17_000), statuses: [413] }
    : { what: `${name} of 5,000 bytes`, value: 'あ'.repeat(1700), statuses: [422] }

/** Without one token of the page, or none of our forms: refused whatever form it is. */
export const unsignedBodies = (encoded: string, csrf: string): readonly Body[] => [
  { what: 'nothing', type: FORM, body: '', statuses: [422] },
  { what: 'no token', type: FORM, body: encoded, statuses: [422] },
  {
    what: 'the token twice',
    type: FORM,
    body: `${encoded}&csrf=${csrf}&csrf=${csrf}`,
    statuses: [422],
  },
  { what: 'another token', type: FORM, body: `${encoded}&csrf=${'A'.repeat(43)}`, statuses: [422] },
  {
    what: 'a token of 5,000 characters',
    type: FORM,
    body: `csrf=${'A'.repeat(5000)}`,
    statuses: [422],
  },
  { what: 'a nested token', type: FORM, body: `${encoded}&csrf[a]=${csrf}`, statuses: [422] },
  { what: 'JSON', type: 'application/json', body: JSON.stringify({ csrf }), statuses: [422] },
  { what: 'plain text', type: 'text/plain', body: `${encoded}&csrf=${csrf}`, statuses: [422] },
  {
    what: 'multipart',
    type: 'multipart/form-data; boundary=x',
    body: `--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n${csrf}\r\n--x--\r\n`,
    statuses: [422],
  },
  {
    what: '20 KB',
    type: FORM,
    body: `${encoded}&csrf=${csrf}&x=${'x'.repeat(20_000)}`,
    statuses: [413],
  },
  {
    what: '3,000 fields',
    type: FORM,
    body: Array.from({ length: 3000 }, (_, n) => `${n}=1`).join('&'),
    statuses: [413, 422],
  },
  { what: 'a strange charset', type: `${FORM}; charset=utf-99`, body: 'x', statuses: [422] },
  { what: 'broken escapes', type: FORM, body: 'csrf=%E0%A4%A&%=%', statuses: [422] },
]

/**
 * Bodies with the page's token that no browser makes of this form: each is to be answered by the page again with what to
 * do (422), or refused as too large. `otherwise`: what a form that only lacks an optional field may
 * be answered with beside that.
 */
export const fieldBodies = (
  { fields, needed, longest = {} }: FormShape,
  csrf: string,
  otherwise: readonly number[] = [],
): readonly Body[] => {
  const names = Object.keys(fields)
  const encoded = new URLSearchParams({ ...fields, csrf }).toString()
  const rest = (left: string) =>
    new URLSearchParams(
      Object.entries({ ...fields, csrf }).filter(([name]) => name !== left),
    ).toString()
  const lacking = (name: string) => (needed.includes(name) ? [422] : [422, ...otherwise])
  const [one] = names
  return [
    ...names.flatMap((name): Body[] => {
      const { what, value, statuses } = overlong(name, longest[name])
      return [
        { what: `no ${name}`, type: FORM, body: rest(name), statuses: lacking(name) },
        { what: `${name} twice`, type: FORM, body: `${encoded}&${name}=again`, statuses: [422] },
        { what, type: FORM, body: `${rest(name)}&${name}=${value}`, statuses },
        { what: `${name} nested`, type: FORM, body: `${rest(name)}&${name}[a]=1`, statuses: [422] },
        {
          what: `${name} as a list`,
          type: FORM,
          body: `${rest(name)}&${name}[]=1`,
          statuses: [422],
        },
      ]
    }),
    ...(one === undefined
      ? []
      : [
          {
            what: 'only the token',
            type: FORM,
            body: `csrf=${csrf}`,
            statuses: needed.length > 0 ? [422] : [422, ...otherwise],
          },
          {
            what: 'a JSON operator',
            type: 'application/json',
            body: `{"${one}":{"$ne":null}}`,
            statuses: [422],
          },
          {
            what: 'names of objects',
            type: FORM,
            body: `${rest(one)}&__proto__[x]=1&constructor=1&toString=1`,
            statuses: lacking(one),
          },
        ]),
  ]
}

/** Everything that no browser makes of this form. */
export const bodiesOf = (shape: FormShape, csrf: string): readonly Body[] => [
  ...unsignedBodies(new URLSearchParams(shape.fields).toString(), csrf),
  ...fieldBodies(shape, csrf),
]
