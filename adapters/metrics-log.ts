import { Counter, Histogram, type Registry } from 'prom-client'
import type { Log, MailTemplate } from '../accounts/ports.ts'

const WITH_CODE: ReadonlySet<string> = new Set<MailTemplate>([
  'confirmAddress',
  'confirmSecondAddress',
  'proveAddressOnFile',
  'signInCode',
  'resetCode',
])
const MAIL_STATES: Readonly<Record<string, string>> = {
  mail_sent: 'sent',
  mail_put_off: 'put_off',
  mail_failed: 'failed',
  mail_dropped: 'dropped',
}
const LOGOUT_STATES: Readonly<Record<string, string>> = {
  logout_delivered: 'delivered',
  logout_put_off: 'put_off',
  logout_failed: 'failed',
  logout_dropped: 'dropped',
}
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
/** What the reasons of a passkey that failed begin with. */
const PASSKEY_FAULT = 'pk.'
const REGISTERING = /register|add/iu

type Facts = Readonly<Record<string, unknown>>

/** A label's value: words and numbers of ours only. */
const word = (facts: Facts, name: string): string => {
  const value = facts[name]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : 'none'
}

const reasonsOf = ({ reason }: Facts): readonly string[] =>
  Array.isArray(reason) ? reason.filter((one) => typeof one === 'string') : []

/** What became of a step's form, or of its page. */
const stepEvent = (method: string, status: string): string | undefined => {
  if (method === 'GET' && status === '200') return 'shown'
  if (method !== 'POST') return undefined
  if (status === '303') return 'passed'
  return status === '422' ? 'refused' : undefined
}

const figuresIn = (registry: Registry) => {
  const registers = [registry]
  return {
    requests: new Histogram({
      name: 'idp_http_request_duration_seconds',
      help: 'Requests answered, by route',
      labelNames: ['route', 'method', 'status'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
    logins: new Counter({
      name: 'idp_login_total',
      help: 'Sign-ins by second step (method), outcome and kind of network',
      labelNames: ['method', 'result', 'place'],
      registers,
    }),
    steps: new Counter({
      name: 'idp_onboarding_step_total',
      help: 'Steps of first login and sign-in: pages shown, forms passed and refused',
      labelNames: ['step', 'event'],
      registers,
    }),
    codes: new Counter({
      name: 'idp_otp_sent_total',
      help: 'Codes sent, by channel and what became of them',
      labelNames: ['channel', 'result'],
      registers,
    }),
    mails: new Counter({
      name: 'idp_mail_total',
      help: 'Mails by template and what became of them',
      labelNames: ['template', 'result'],
      registers,
    }),
    logouts: new Counter({
      name: 'idp_logout_total',
      help: 'Back-channel logouts by relying party and what became of them',
      labelNames: ['client', 'result'],
      registers,
    }),
    ceremonies: new Counter({
      name: 'idp_passkey_ceremony_total',
      help: 'Passkeys registered or used, and why not',
      labelNames: ['type', 'result'],
      registers,
    }),
    tokens: new Counter({
      name: 'idp_token_issued_total',
      help: 'Answers of the token endpoint that held tokens',
      labelNames: ['grant', 'client'],
      registers,
    }),
  }
}
type Figures = ReturnType<typeof figuresIn>

const countRequest = ({ requests, steps }: Figures, facts: Facts): void => {
  const method = word(facts, 'method')
  const status = word(facts, 'status')
  requests.observe(
    { route: word(facts, 'route'), status, method: METHODS.has(method) ? method : 'other' },
    Number(facts.durationMs) / 1000,
  )
  const happened = stepEvent(method, status)
  if (facts.step !== undefined && happened !== undefined) {
    steps.inc({ step: word(facts, 'step'), event: happened })
  }
}

const countRefused = ({ ceremonies, logins }: Figures, facts: Facts): void => {
  const type = REGISTERING.test(word(facts, 'step')) ? 'registration' : 'authentication'
  for (const reason of reasonsOf(facts)) {
    if (reason.startsWith(PASSKEY_FAULT)) ceremonies.inc({ type, result: reason })
  }
  // Whatever was wrong about it: the reason's own name does not say which second step it was.
  if (facts.factor !== undefined) {
    logins.inc({ method: word(facts, 'factor'), result: 'refused', place: word(facts, 'place') })
  }
}

const count = (figures: Figures, facts: Facts, event: string): void => {
  const { mails, codes, logouts, logins, ceremonies, tokens } = figures
  const mailState = MAIL_STATES[event]
  if (mailState !== undefined) {
    const template = word(facts, 'template')
    mails.inc({ template, result: mailState })
    if (WITH_CODE.has(template)) codes.inc({ channel: 'email', result: mailState })
    return
  }
  const logoutState = LOGOUT_STATES[event]
  if (logoutState !== undefined) {
    logouts.inc({ client: word(facts, 'clientId'), result: logoutState })
    return
  }
  const isPasskey = word(facts, 'factor') === 'passkey'
  switch (event) {
    case 'request':
      countRequest(figures, facts)
      return
    case 'signed in':
      logins.inc({ method: word(facts, 'factor'), result: 'ok', place: word(facts, 'place') })
      return
    case 'request denied':
      logins.inc({ method: 'none', result: 'denied', place: word(facts, 'place') })
      return
    case 'sign-in refused':
      logins.inc({ method: 'password', result: 'refused', place: word(facts, 'place') })
      return
    case 'form refused':
      countRefused(figures, facts)
      return
    case 'passkey proven':
    case 'second step proven':
      if (isPasskey) ceremonies.inc({ type: 'authentication', result: 'ok' })
      return
    case 'method registered':
      if (isPasskey) ceremonies.inc({ type: 'registration', result: 'ok' })
      return
    case 'tokens issued':
      tokens.inc({ grant: word(facts, 'grant'), client: word(facts, 'clientId') })
      return
  }
}

/** Figures of what the log tells, in this registry: gives the log, whose lines are counted as well,
 * whatever its level. Once per registry. */
export const logFigures = (registry: Registry): ((log: Log) => Log) => {
  const figures = figuresIn(registry)
  return (log) => {
    const line = (level: keyof Log) => (facts: object, event: string) => {
      // An object of facts, as `Log` has it.
      count(figures, facts as Facts, event)
      log[level](facts, event)
    }
    return { info: line('info'), warn: line('warn'), error: line('error') }
  }
}
