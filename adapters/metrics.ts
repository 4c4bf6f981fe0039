import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Allowance, Log, Mailer, MailTemplate, Throttle } from '../accounts/ports.ts'
import type { KeyAge } from '../keys/live.ts'
import type { Adapters } from './index.ts'

/** Figures for the operator, taken where the facts pass by: no part of the product knows of them. */
export type Metrics = Readonly<{
  registry: Registry
  /** The log, whose lines are counted as well, whatever its level. */
  log(log: Log): Log
  /** The stores, each call of which is timed. */
  stores(stores: Adapters): Adapters
  /** Ages of the keys that sign, asked for with each look at the figures. */
  keys(ages: () => readonly KeyAge[]): void
  /** The mail server, each call of which is timed. */
  mailer(mailer: Mailer): Mailer
}>

/** Password hashing in this process: `running` at once, and those `waiting` for their turn. */
export type HashingLoad = () => Readonly<{ running: number; waiting: number }>

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
/** Whose mistake a refused form tells of, by the first part of its reason. */
const FACTOR_OF: Readonly<Record<string, string>> = {
  pk: 'passkey',
  totp: 'totp',
  code: 'code',
  recovery: 'recoveryCode',
  pass: 'deskPass',
}
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

/**
 * Every figure of this process, in a registry of its own. No label says who: they hold routes,
 * methods, limits, templates and relying parties, of which there are as many as were configured.
 */
export const createMetrics = (hashing: HashingLoad): Metrics => {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })

  const requests = new Histogram({
    name: 'idp_http_request_duration_seconds',
    help: 'Requests answered, by route',
    labelNames: ['route', 'method', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  })
  const logins = new Counter({
    name: 'idp_login_total',
    help: 'Sign-ins by second step (method), outcome and kind of network',
    labelNames: ['method', 'result', 'place'],
    registers,
  })
  const steps = new Counter({
    name: 'idp_onboarding_step_total',
    help: 'Steps of first login and sign-in: pages shown, forms passed and refused',
    labelNames: ['step', 'event'],
    registers,
  })
  const codes = new Counter({
    name: 'idp_otp_sent_total',
    help: 'Codes sent, by channel and what became of them',
    labelNames: ['channel', 'result'],
    registers,
  })
  const mails = new Counter({
    name: 'idp_mail_total',
    help: 'Mails by template and what became of them',
    labelNames: ['template', 'result'],
    registers,
  })
  const logouts = new Counter({
    name: 'idp_logout_total',
    help: 'Back-channel logouts by relying party and what became of them',
    labelNames: ['client', 'result'],
    registers,
  })
  const ceremonies = new Counter({
    name: 'idp_passkey_ceremony_total',
    help: 'Passkeys registered or used, and why not',
    labelNames: ['type', 'result'],
    registers,
  })
  const limited = new Counter({
    name: 'idp_rate_limited_total',
    help: 'Attempts that met an exhausted limit',
    labelNames: ['rule'],
    registers,
  })
  const lockouts = new Counter({
    name: 'idp_lockout_total',
    help: 'Sign-in attempts refused because their account is paused',
    registers,
  })
  const tokens = new Counter({
    name: 'idp_token_issued_total',
    help: 'Answers of the token endpoint that held tokens',
    labelNames: ['grant', 'client'],
    registers,
  })
  const sending = new Histogram({
    name: 'idp_mail_send_duration_seconds',
    help: 'One mail handed to the mail server, or refused by it',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  })
  const operations = new Histogram({
    name: 'idp_store_op_duration_seconds',
    help: 'Calls of the stores',
    labelNames: ['store', 'op'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
    registers,
  })
  const storeErrors = new Counter({
    name: 'idp_store_op_failures_total',
    help: 'Calls of the stores that threw, lost races among them',
    labelNames: ['store', 'op'],
    registers,
  })
  new Gauge({
    name: 'idp_password_hashing',
    help: 'Password hashes under way in this process, and those waiting for their turn',
    labelNames: ['state'],
    registers,
    collect() {
      const { running, waiting } = hashing()
      this.set({ state: 'running' }, running)
      this.set({ state: 'waiting' }, waiting)
    },
  })
  let agesOfKeys: () => readonly KeyAge[] = () => []
  new Gauge({
    name: 'idp_keys_age_seconds',
    help: 'How long the key of each algorithm has been signing',
    labelNames: ['alg'],
    // Each process uses the same keys.
    aggregator: 'max',
    registers,
    collect() {
      this.reset()
      for (const { alg, seconds } of agesOfKeys()) this.set({ alg }, seconds)
    },
  })

  const countRefused = (facts: Facts) => {
    const step = word(facts, 'step')
    for (const reason of reasonsOf(facts)) {
      const factor = FACTOR_OF[reason.split('.', 1)[0] ?? '']
      if (factor === 'passkey') {
        const type = REGISTERING.test(step) ? 'registration' : 'authentication'
        ceremonies.inc({ type, result: reason })
      }
      if (factor && step === 'verifyFactor') {
        logins.inc({ method: factor, result: 'refused', place: word(facts, 'place') })
      }
    }
  }

  const count = (facts: Facts, event: string) => {
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
      case 'request': {
        const method = word(facts, 'method')
        const status = word(facts, 'status')
        const labels = { route: word(facts, 'route'), status }
        requests.observe(
          { ...labels, method: METHODS.has(method) ? method : 'other' },
          Number(facts.durationMs) / 1000,
        )
        const happened = stepEvent(method, status)
        if (facts.step !== undefined && happened !== undefined) {
          steps.inc({ step: word(facts, 'step'), event: happened })
        }
        return
      }
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
        countRefused(facts)
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

  /** The port with each of its promises timed; what answers otherwise passes as it is. */
  const timed = <Port extends object>(port: Port, store: string): Port => {
    const wrapped = new Map<string, unknown>()
    const wrap = (op: string, call: (...args: unknown[]) => unknown) => {
      const labels = { store, op }
      return (...args: unknown[]): unknown => {
        const end = operations.startTimer(labels)
        const answer = call.apply(port, args)
        if (answer instanceof Promise) {
          answer.then(
            () => end(),
            () => {
              end()
              storeErrors.inc(labels)
            },
          )
        }
        return answer
      }
    }
    return new Proxy(port, {
      get(target, op) {
        const value: unknown = Reflect.get(target, op, target)
        if (typeof value !== 'function' || typeof op !== 'string') return value
        const held = wrapped.get(op)
        if (held) return held
        // A port's methods take and give what their callers know; here they only pass.
        const made = wrap(op, value as (...args: unknown[]) => unknown)
        wrapped.set(op, made)
        return made
      },
    })
  }

  const countLimits = (throttle: Throttle): Throttle => {
    const noted = (allowance: Allowance, rule: string): Allowance => {
      if (!allowance.ok) limited.inc({ rule })
      return allowance
    }
    const { countInOrder } = throttle
    return {
      async count(limit, key) {
        const allowance = noted(await throttle.count(limit, key), limit)
        if (!allowance.ok && limit === 'password') lockouts.inc()
        return allowance
      },
      // Which of them it was, the answer does not say.
      ...(countInOrder && {
        countInOrder: async (limits) =>
          noted(await countInOrder(limits), limits.map(([limit]) => limit).join('+')),
      }),
      look: async (limit, key) => noted(await throttle.look(limit, key), limit),
      forget: (limit, key) => throttle.forget(limit, key),
    }
  }

  const gaugeQueue = (queued: () => Promise<number>) =>
    new Gauge({
      name: 'idp_mail_queue_depth',
      help: 'Mails waiting in the outbox, all processes',
      // Each process sees the same queue.
      aggregator: 'max',
      registers,
      async collect() {
        // A store that does not answer leaves the other figures readable.
        this.set(await queued().catch(() => Number.NaN))
      },
    })

  return {
    registry,
    log: (log) => {
      const line = (level: 'info' | 'warn' | 'error') => (facts: object, event: string) => {
        count(facts as Facts, event)
        log[level](facts, event)
      }
      return { info: line('info'), warn: line('warn'), error: line('error') }
    },
    stores: (stores) => {
      gaugeQueue(stores.outbox.count)
      return {
        ...stores,
        members: timed(stores.members, 'members'),
        transient: timed(stores.transient, 'transient'),
        throttle: countLimits(timed(stores.throttle, 'throttle')),
        outbox: timed(stores.outbox, 'outbox'),
        logouts: timed(stores.logouts, 'logouts'),
        signIns: timed(stores.signIns, 'signIns'),
        sessions: timed(stores.sessions, 'sessions'),
        consents: timed(stores.consents, 'consents'),
        audit: timed(stores.audit, 'audit'),
        clientStore: timed(stores.clientStore, 'clients'),
        registrationTokens: timed(stores.registrationTokens, 'registrationTokens'),
        signingKeys: timed(stores.signingKeys, 'signingKeys'),
        artifacts: (model: string) => timed(stores.artifacts(model), 'artifacts'),
      }
    },
    keys: (ages) => {
      agesOfKeys = ages
    },
    mailer: (mailer) => ({
      async send(mail) {
        const end = sending.startTimer()
        try {
          await mailer.send(mail)
        } finally {
          end()
        }
      },
    }),
  }
}
