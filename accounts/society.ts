import { createHash } from 'node:crypto'
import type { ChosenFactor, Locale } from './member.ts'

export type Localized = Readonly<Record<Locale, string>>

/** One health-insurance society: its policy, its face and its words. Read from the societies file. */
export type Society = Readonly<{
  /** Lower-case letters, digits, hyphens; part of URLs. */
  id: string
  name: Localized
  /** #rrggbb; white text on it reaches 4.5:1 (checked when the file is read). */
  color: string
  contact: Readonly<{
    /** As printed, e.g. 03-0000-0000. */
    phone: string
    hours: Localized
    email?: string
    privacyUrl?: string
  }>
  /** Shown under the user ID field. */
  loginIdExample: string
  terms: Readonly<{
    version: string
    /** YYYY-MM-DD */
    effectiveFrom: string
    /** The gist in three lines or so. */
    summary: Readonly<Record<Locale, readonly string[]>>
    /** Paragraphs; the first line of a paragraph starting with "# " is its heading. */
    text: Readonly<Record<Locale, readonly string[]>>
    /** Earlier versions stay readable. */
    earlier: readonly Readonly<{
      version: string
      text: Readonly<Record<Locale, readonly string[]>>
    }>[]
  }>
  registerFactor: 'sameSession' | 'nextLogin'
  /** The methods the society permits at all. */
  factors: readonly ChosenFactor[]
  /** From these networks only the methods named; the first match counts. */
  networks: readonly Readonly<{
    name: Localized
    cidrs: readonly string[]
    factors: readonly ChosenFactor[]
  }>[]
}>

/** Names the text a member agreed to: SHA-256 of its paragraphs, base64url. */
export const termsHash = (paragraphs: readonly string[]): string =>
  createHash('sha256').update(paragraphs.join('\n\n')).digest('base64url')
