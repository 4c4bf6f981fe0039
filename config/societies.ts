import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import { CHOSEN_FACTORS } from '../accounts/member.ts'
import type { Society } from '../accounts/society.ts'
import { type Problem, readEntries } from './problem.ts'

/** Relative luminance of #rrggbb (WCAG 2.2, "relative luminance"). */
const luminance = (color: string): number => {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(color.slice(at, at + 2), 16) / 255
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/** Contrast ratio of white text on the colour, 1 to 21 (WCAG 2.2, "contrast ratio"). */
export const contrastOnWhite = (color: string): number => 1.05 / (luminance(color) + 0.05)

const text = z.string().min(1, 'must not be empty')
const localized = z.strictObject({ ja: text, en: text })
const paragraphs = z.array(text).min(1, 'must have a paragraph')
const localizedParagraphs = z.strictObject({ ja: paragraphs, en: paragraphs })
const factors = z
  .array(z.enum(CHOSEN_FACTORS))
  .min(1, 'must permit at least one method')
  .refine((ids) => new Set(ids).size === ids.length, 'names a method twice')
const httpsUrl = z
  .string()
  .refine(
    (url) => URL.canParse(url) && new URL(url).protocol === 'https:',
    'must be an https address',
  )
const version = z
  .string()
  .regex(/^[0-9A-Za-z.-]{1,32}$/, 'must be 1 to 32 letters, digits, "." or "-"')

const societySchema = z
  .strictObject({
    id: z.string().regex(/^[a-z0-9-]{1,32}$/, 'must be 1 to 32 lower-case letters, digits or "-"'),
    name: localized,
    color: z
      .string()
      .regex(/^#[0-9a-f]{6}$/i, { message: 'must be a colour like #0f5ba7', abort: true })
      .refine(
        (color) => contrastOnWhite(color) >= 4.5,
        'is too light: white text on it needs a contrast of 4.5 or more',
      ),
    contact: z.strictObject({
      phone: z.string().regex(/^[0-9+][0-9-]{6,18}[0-9]$/, 'must be a telephone number'),
      hours: localized,
      email: z.email('is not an e-mail address').exactOptional(),
      privacyUrl: httpsUrl.exactOptional(),
    }),
    loginIdExample: text,
    terms: z.strictObject({
      version,
      effectiveFrom: z.iso.date('must be a date like 2026-04-01'),
      summary: localizedParagraphs,
      text: localizedParagraphs,
      earlier: z.array(z.strictObject({ version, text: localizedParagraphs })),
    }),
    registerFactor: z.enum(['sameSession', 'nextLogin']),
    factors,
    networks: z.array(
      z.strictObject({
        name: localized,
        cidrs: z
          .array(z.string().refine((cidr) => ipaddr.isValidCIDR(cidr), 'is not a CIDR range'))
          .min(1, 'must name a range'),
        factors,
      }),
    ),
  })
  .superRefine((society, context) => {
    const versions = [society.terms, ...society.terms.earlier].map((terms) => terms.version)
    if (new Set(versions).size < versions.length) {
      context.addIssue({ code: 'custom', path: ['terms', 'earlier'], message: 'repeats a version' })
    }
    if (society.registerFactor === 'nextLogin' && !society.factors.includes('emailCode')) {
      context.addIssue({
        code: 'custom',
        path: ['registerFactor'],
        message: 'is "nextLogin" without "emailCode", which the next sign-in asks for first',
      })
    }
    for (const [index, network] of society.networks.entries()) {
      if (network.factors.every((factor) => society.factors.includes(factor))) continue
      context.addIssue({
        code: 'custom',
        path: ['networks', index, 'factors'],
        message: 'permits a method that the society does not permit',
      })
    }
  })

/** Reads the societies file, a JSON array of `Society`; adds what is wrong to `problems`. */
export const readSocieties = (
  source: Readonly<{ file: string; text: string }>,
  problems: Problem[],
): ReadonlyMap<string, Society> => {
  const entries = readEntries({ ...source, idKey: 'id', schema: societySchema }, problems)
  return new Map(entries.map((society) => [society.id, society]))
}
