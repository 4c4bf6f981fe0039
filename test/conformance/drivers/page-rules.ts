import { setTimeout as delay } from 'node:timers/promises'
import type { HTMLElement } from 'node-html-parser'
import { Secret, TOTP } from 'otpauth'
import { z } from 'zod'
import type { Wire } from '../wire.ts'

const asking = z.enum(['sign-in', 'code', 'consent', 'logout', 'enrolment', 'passkey'])

const rule = z.strictObject({
  asking,
  /** CSS: the page is meant where this is found. */
  on: z.string(),
  /** Only for members of whom all this is true. */
  of: z.record(z.string(), z.string()).exactOptional(),
  /** Field name to value; `{name}` stands for what is known of the member, see `valueOf`. */
  fill: z.record(z.string(), z.string()).exactOptional(),
  /** CSS of the button to press, or of the form to send. */
  press: z.string(),
  /** Read off the page before: name of the member's value, CSS of the element that shows it. */
  keep: z.record(z.string(), z.string()).exactOptional(),
  /** True of the member once the page has been answered. */
  set: z.record(z.string(), z.string()).exactOptional(),
})
export type PageRule = z.output<typeof rule>

/** How a provider's pages are answered: the first rule that fits a page. */
export const pageRules = z.strictObject({
  rules: z.array(rule),
  /** CSS of what leaves a page without signing in; a button, a form or a link. */
  cancel: z.string().exactOptional(),
})
export type PageRules = z.output<typeof pageRules>

/**
 * A person: whatever the rules fill in, by name. Known to the suite: `username`, `password`,
 * `totpSecret` (base32), `mailbox` (URL of a JSON array of mails, newest first, each with `text`),
 * `method` (password, email, totp, passkey), `firstLogin` ("yes": has not signed in yet), `sub`.
 */
export const member = z.record(z.string(), z.string())
export type Member = Record<string, string>

const MAIL_PATIENCE_MS = 20_000
const TOTP_SECONDS = 30

/** What the rules need beside the page: mailboxes already read, app codes already used. */
export interface Answers {
  /** A field's value with its `{names}` filled in. @throws where one is not known */
  valueOf(template: string, member: Member): Promise<string>
  /** Which rule fits. */
  ruleFor(root: HTMLElement, member: Member): PageRule | undefined
  /** Takes from the page what the rule keeps. */
  keep(rule: PageRule, root: HTMLElement, member: Member): void
  done(rule: PageRule, member: Member): Promise<void>
}

const mails = z.array(z.looseObject({ id: z.string().exactOptional(), text: z.string() }))

/** Rules applied to pages, over plain HTML: the same for every driver. */
export const createAnswers = (pages: PageRules, wire: Wire): Answers => {
  const readMails = new Set<string>()
  const usedSteps = new Map<string, number>()

  const mailCode = async (member: Member): Promise<string> => {
    const { mailbox } = member
    if (mailbox === undefined) throw new Error('the member has no "mailbox" to read a code from')
    const end = performance.now() + MAIL_PATIENCE_MS
    while (performance.now() < end) {
      const { body } = await wire.send({ url: mailbox })
      for (const mail of mails.parse(JSON.parse(body))) {
        const key = `${mailbox} ${mail.id ?? mail.text}`
        if (readMails.has(key)) continue
        const code = /(?<![\d-])\d{6}(?!\d)/.exec(mail.text)?.[0]
        if (code === undefined) continue
        readMails.add(key)
        wire.mask.learn('code', code)
        return code
      }
      await delay(200)
    }
    throw new Error(`no new mail with a code of six digits within ${MAIL_PATIENCE_MS / 1000} s`)
  }

  const totp = async (member: Member): Promise<string> => {
    const { totpSecret } = member
    if (totpSecret === undefined) throw new Error('the member has no "totpSecret"')
    const step = () => Math.floor(Date.now() / 1000 / TOTP_SECONDS)
    // A code is taken once (RFC 6238 section 5.2).
    while (step() <= (usedSteps.get(totpSecret) ?? 0)) await delay(500)
    usedSteps.set(totpSecret, step())
    const code = new TOTP({ secret: Secret.fromBase32(totpSecret) }).generate()
    wire.mask.learn('code', code)
    return code
  }

  const named = async (name: string, member: Member): Promise<string> => {
    // A value of the member's own comes first: a wrong code, say.
    if (name === 'mailCode' && member.mailCode === undefined) return mailCode(member)
    if (name === 'totp' && member.totp === undefined) return totp(member)
    const value = name.startsWith('env:') ? process.env[name.slice(4)] : member[name]
    if (value === undefined) throw new Error(`the page asks for "${name}", unknown of this member`)
    wire.mask.learnAll([[name, value]])
    return value
  }

  return {
    async valueOf(template, who) {
      let text = template
      for (const [braces, name = ''] of template.matchAll(/\{([^{}]+)\}/g)) {
        text = text.replace(braces, await named(name, who))
      }
      return text
    },
    ruleFor: (root, who) =>
      pages.rules.find(
        (one) =>
          root.querySelector(one.on) !== null &&
          Object.entries(one.of ?? {}).every(([name, value]) => who[name] === value),
      ),
    keep(one, root, who) {
      for (const [name, css] of Object.entries(one.keep ?? {})) {
        const value = root.querySelector(css)?.textContent.replace(/[\s-]/g, '')
        if (value === undefined) throw new Error(`"${css}" is not on the page`)
        who[name] = value
        wire.mask.learn(name, value)
      }
    },
    async done(one, who) {
      for (const [name, template] of Object.entries(one.set ?? {})) {
        who[name] = await this.valueOf(template, who)
      }
    },
  }
}
