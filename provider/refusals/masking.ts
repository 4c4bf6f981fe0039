const LONGEST = 300
/** Client secrets have 32 characters or more, codes and tokens 43; names and words have less. */
const SECRET_LENGTH = 32

const CREDENTIALS = /\/\/[^/@\s?#]*@/g
const ADDRESS = /[\w.+%-]+(?:@|%40)[\w.-]+/gi
const JWT = /\bey[\w-]+\.[\w.-]+/g
const OPAQUE = new RegExp(`[\\w~+-]{${SECRET_LENGTH},}`, 'g')
const VALUE = /([?&#;][^=&#;\s]*=)([^&#;\s]+)/g
const FRAGMENT = /#([^=&\s]+)$/
/** Nothing of it can forge a second line, or turn the direction of one. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu

/**
 * A text of a request as operators may see it: values in a query, mail addresses, and whatever is
 * long enough to be a secret are left out, unless `known` (what is registered) has the same.
 */
export const masked = (text: string, known: readonly string[] = []): string => {
  const isKnown = (part: string) => known.some((one) => one.includes(part))
  const length = (part: string) => `[${[...part].length} characters]`
  return text
    .slice(0, 10 * LONGEST)
    .replace(UNPRINTABLE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
    .replace(CREDENTIALS, '//[credentials]@')
    .replace(VALUE, (part, name: string, value: string) =>
      isKnown(part.slice(1)) ? part : `${name}${length(value)}`,
    )
    .replace(FRAGMENT, (part, value: string) => (isKnown(part) ? part : `#${length(value)}`))
    .replace(ADDRESS, '[address]')
    .replace(JWT, length)
    .replace(OPAQUE, (part) => (isKnown(part) ? part : length(part)))
    .slice(0, LONGEST)
}

/** Where `received` parts from the registered text that is most like it. */
export type Difference = Readonly<{
  registered: string
  /** The first character that differs, counted from 1. */
  position: number
  /** Empty: the text has ended there. */
  received: string
  expected: string
}>

const commonStart = (one: readonly string[], other: readonly string[]): number => {
  const end = one.findIndex((character, index) => character !== other[index])
  return end === -1 ? one.length : end
}

/** Undefined where there is nothing to compare with, or no difference. */
export const differenceOf = (
  received: string,
  registered: readonly string[],
): Difference | undefined => {
  const given = [...received]
  const likeness = (text: string): number => {
    const other = [...text]
    const start = commonStart(given, other)
    const rest = Math.min(given.length, other.length) - start
    const end = commonStart(given.toReversed(), other.toReversed())
    return start + Math.min(rest, end)
  }
  const [nearest] = registered.toSorted((one, other) => likeness(other) - likeness(one))
  if (nearest === undefined || nearest === received) return undefined
  const other = [...nearest]
  const at = commonStart(given, other)
  return {
    registered: nearest,
    position: at + 1,
    received: given[at] ?? '',
    expected: other[at] ?? '',
  }
}
