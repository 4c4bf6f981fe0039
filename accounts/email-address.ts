/** Bounds of RFC 5321 section 4.5.3.1, in octets; a path of 256 holds an address of 254. */
const LONGEST_LOCAL_PART = 64
const LONGEST_ADDRESS = 254

/** Atoms of RFC 5322 section 3.2.3, joined by single dots (dot-atom). */
const DOT_ATOM = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/
/** The same, with dots doubled and before the @. */
const LOOSE_DOT_ATOM = /^[\w!#$%&'*+/=?^`{|}~-][\w!#$%&'*+/=?^`{|}~.-]*$/
/** Letters, digits and inner hyphens (RFC 1123 section 2.1), at least two labels, the last of them
 * not a number: no literal address. */
const DOMAIN =
  /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])$/

/** The carriers that once gave out addresses beside the standard; members still have them. */
const LENIENT_CARRIERS = ['docomo.ne.jp', 'ezweb.ne.jp', 'au.com']

/** Where nearly all members have their mail. An address there is never doubted. */
const WELL_KNOWN_DOMAINS = [
  ...LENIENT_CARRIERS,
  'softbank.ne.jp',
  'i.softbank.jp',
  'disney.ne.jp',
  't.vodafone.ne.jp',
  'd.vodafone.ne.jp',
  'h.vodafone.ne.jp',
  'c.vodafone.ne.jp',
  'k.vodafone.ne.jp',
  'r.vodafone.ne.jp',
  'n.vodafone.ne.jp',
  's.vodafone.ne.jp',
  'q.vodafone.ne.jp',
  'ymobile.ne.jp',
  'ymobile1.ne.jp',
  'y-mobile.ne.jp',
  'emobile.ne.jp',
  'willcom.com',
  'wcm.ne.jp',
  'pdx.ne.jp',
  'uqmobile.jp',
  'rakumail.jp',
  'gmail.com',
  'googlemail.com',
  'yahoo.co.jp',
  'yahoo.com',
  'ybb.ne.jp',
  'ymail.ne.jp',
  'ymail.com',
  'icloud.com',
  'me.com',
  'mac.com',
  'outlook.jp',
  'outlook.com',
  'hotmail.co.jp',
  'hotmail.com',
  'live.jp',
  'live.com',
  'msn.com',
  'mail.com',
  'email.com',
  'aol.com',
  'aol.jp',
  'proton.me',
  'protonmail.com',
  'nifty.com',
  'nifty.ne.jp',
  'biglobe.ne.jp',
  'ocn.ne.jp',
  'so-net.ne.jp',
  'dion.ne.jp',
  'plala.or.jp',
  'jcom.home.ne.jp',
  'jcom.zaq.ne.jp',
  'eonet.ne.jp',
  'commufa.jp',
  'infoseek.jp',
  'excite.co.jp',
  'goo.jp',
  'rakuten.jp',
  'asahi-net.or.jp',
  'sannet.ne.jp',
]

/** Real, but not what a slip of a Japanese hand means: yahoo.con is yahoo.co.jp here. */
const UNLIKELY_TARGETS = ['yahoo.com', 'ymail.com', 'ymail.ne.jp']
/** One letter away from these is a slip; short names have honest neighbours (ocn, acn, ccn …). */
const SLIP_TARGETS = WELL_KNOWN_DOMAINS.filter(
  (domain) =>
    !UNLIKELY_TARGETS.includes(domain) && domain.split('.').some((label) => label.length >= 5),
)

/** Providers known by the name before the ending, which members get wrong. */
const RIGHT_DOMAINS: ReadonlyMap<string, string> = new Map([
  ['docomo', 'docomo.ne.jp'],
  ['ezweb', 'ezweb.ne.jp'],
  ['au', 'au.com'],
  ['softbank', 'softbank.ne.jp'],
  ['i.softbank', 'i.softbank.jp'],
  ['gmail', 'gmail.com'],
  ['gmial', 'gmail.com'],
  ['yahoo', 'yahoo.co.jp'],
  ['icloud', 'icloud.com'],
  ['icould', 'icloud.com'],
  ['outlook', 'outlook.jp'],
  ['hotmail', 'hotmail.co.jp'],
  ['biglobe', 'biglobe.ne.jp'],
  ['ocn', 'ocn.ne.jp'],
  ['plala', 'plala.or.jp'],
])
/** What is written instead of the right ending. */
const WRONG_ENDING =
  /\.(?:com?|con|cm|om|cim|vom|comm|net|ne|jp|jo|[cn][oe]\.j[po]|[cn][oe]jp|or\.jp|ac\.jp|com\.jp)$/

/** Whether one letter too many, too few or wrong, or two swapped, make the difference. */
const isOneSlipFrom = (a: string, b: string): boolean => {
  let start = 0
  while (start < a.length && a[start] === b[start]) start += 1
  let end = 0
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end += 1
  const restOfA = a.slice(start, a.length - end)
  const restOfB = b.slice(start, b.length - end)
  if (restOfA.length <= 1 && restOfB.length <= 1) return restOfA !== restOfB
  return restOfA.length === 2 && restOfA === [...restOfB].reverse().join('')
}

const suggestedDomain = (domain: string): string | undefined => {
  if (WELL_KNOWN_DOMAINS.includes(domain)) return undefined
  return (
    SLIP_TARGETS.find((known) => isOneSlipFrom(domain, known)) ??
    RIGHT_DOMAINS.get(domain.replace(WRONG_ENDING, ''))
  )
}

export type ParsedEmailAddress =
  | Readonly<{
      ok: true
      address: string
      /** Another address that the member may have meant. */
      suggestion?: string
    }>
  | Readonly<{ ok: false; reason: 'mail.empty' | 'mail.format' }>

/**
 * The one address in what was typed: NFKC, trimmed, its domain in lower case. Nothing that a mail
 * library or a server could read as a second address, a route, a comment or a header gets through:
 * no spaces, quotes, brackets, `,;:<>\`, control or non-ASCII characters.
 *
 * Addresses of docomo and au may have dots doubled or before the @, which RFC 5321 section 4.1.2
 * allows only in quotes. They are kept and shown as their owners write them; nodemailer 10 quotes
 * them in the envelope (`RCPT TO:<"a..b"@docomo.ne.jp>`), given `{ address }` and never a bare
 * string, which it would parse as a list.
 */
export const parseEmailAddress = (typed: string): ParsedEmailAddress => {
  const tidy = typed.normalize('NFKC').replaceAll('。', '.').trim()
  if (tidy === '') return { ok: false, reason: 'mail.empty' }
  const at = tidy.lastIndexOf('@')
  const local = tidy.slice(0, Math.max(at, 0))
  const domain = tidy.slice(at + 1).toLowerCase()
  const address = `${local}@${domain}`
  const localPattern = LENIENT_CARRIERS.includes(domain) ? LOOSE_DOT_ATOM : DOT_ATOM
  const fits =
    at > 0 &&
    address.length <= LONGEST_ADDRESS &&
    local.length <= LONGEST_LOCAL_PART &&
    localPattern.test(local) &&
    DOMAIN.test(domain)
  if (!fits) return { ok: false, reason: 'mail.format' }
  const suggested = suggestedDomain(domain)
  return { ok: true, address, ...(suggested && { suggestion: `${local}@${suggested}` }) }
}

/** The address as its owner recognises it and nobody else learns it: `h•••••@example.jp`. */
export const maskEmailAddress = (address: string): string => {
  const at = address.lastIndexOf('@')
  return `${address.slice(0, Math.min(1, at))}•••••${address.slice(at)}`
}

/** The form in which two spellings of one address are equal: domains know no case (RFC 1035 section
 * 2.3.3), local parts may. */
export const emailKey = (address: string): string => {
  const at = address.lastIndexOf('@')
  return `${address.slice(0, at)}${address.slice(at).toLowerCase()}`
}
