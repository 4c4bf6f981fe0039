import { randomBytes } from 'node:crypto'
import { type DestinationStream, type Logger, pino } from 'pino'
import type { Clock, RandomBytes } from '../accounts/ports.ts'

export const systemClock: Clock = { now: () => Math.floor(Date.now() / 1000) }

export const systemRandom: RandomBytes = randomBytes

/**
 * The facts a log line may carry. All else is left out and only counted (`omitted`): passwords,
 * codes, tokens, cookies, birthdates, addresses, names and login IDs have no way in, whatever they
 * are called. Add a name here only if no value of it can be personal or secret.
 */
const FACTS: ReadonlySet<string> = new Set([
  'accountKey',
  'acr',
  'amr',
  'attempts',
  'clientId',
  'clientIds',
  'clients',
  'count',
  'durationMs',
  'err',
  'error',
  'factor',
  'grant',
  'host',
  'ip',
  'issuer',
  'kid',
  'limit',
  'locale',
  'logoutId',
  'mailId',
  'memberId',
  'method',
  'missing',
  'network',
  'omitted',
  'outcome',
  'pending',
  'place',
  'port',
  'problems',
  'reason',
  'reqId',
  'retryAfterSeconds',
  'route',
  'rule',
  'sessions',
  'seconds',
  'signal',
  'signingAlgorithms',
  'societyId',
  'status',
  'store',
  'step',
  'template',
  'until',
  'version',
  'worker',
])
const TEXT_LENGTH = 500
/** So many values of a list are in a line; what is to be told whole takes several lines. */
export const LIST_LENGTH = 20
const FRAMES = 12

const CONTROL = /[\p{Cc}\u2028\u2029]+/gu
const EMAIL = /[^\s<>@/()]+@[^\s<>@/()]+/gu
/** The engine's codes, tokens and session IDs (43 characters), a JWT, the value in a query string. */
const TOKEN = /[\w-]{40,}|ey[\w-]+\.[\w-]+\.[\w-]*|(?<==)[^\s&"']{8,}/gu

/** One line: without control characters nothing can forge a second one on a terminal. */
const plain = (text: string): string =>
  text.replace(EMAIL, '[address]').replace(CONTROL, ' ').slice(0, TEXT_LENGTH)

/** Text that others composed: a mail server's answer or an engine's error may quote a secret. */
const foreign = (text: unknown): string | undefined =>
  typeof text === 'string' && text !== '' ? plain(text.replace(TOKEN, '[token]')) : undefined

/** The frames only: what stands before them is the message, of any number of lines. */
const framesOf = (stack: unknown, message: unknown): readonly string[] => {
  if (typeof stack !== 'string' || typeof message !== 'string') return []
  return stack
    .slice(stack.indexOf(message) + message.length)
    .split('\n')
    .filter((line) => /^ +at .*:\d+:\d+\)?$/u.test(line))
    .slice(0, FRAMES)
    .map((line) => line.trim())
}

/** What an operator needs of an error; its other fields may quote a request. */
const describe = (error: unknown, depth = 0): unknown => {
  if (!(error instanceof Error)) return foreign(error)
  // Any code may have thrown it: nothing about its fields is certain, and logging never throws.
  const { name, message, code, status, detail, error_detail, stack, cause } =
    error as unknown as Readonly<Record<string, unknown>>
  return {
    type: foreign(name),
    message: foreign(message),
    code: foreign(code),
    status: typeof status === 'number' ? status : undefined,
    detail: foreign(detail) ?? foreign(error_detail),
    stack: framesOf(stack, message),
    cause: depth < 3 ? describe(cause, depth + 1) : undefined,
  }
}

const simple = (value: unknown): unknown => {
  if (value instanceof Error) return describe(value)
  if (Array.isArray(value)) return value.slice(0, LIST_LENGTH).map(simple)
  if (typeof value === 'string') return plain(value)
  return typeof value === 'object' && value !== null ? '[object]' : value
}

const permitted = (facts: Record<string, unknown>): Record<string, unknown> => {
  const kept = Object.entries(facts).filter(([name]) => FACTS.has(name))
  const omitted = Object.keys(facts).length - kept.length
  return {
    ...Object.fromEntries(kept.map(([name, value]) => [name, simple(value)])),
    ...(omitted > 0 ? { omitted } : {}),
  }
}

/** pino's own hook for this (`formatters.bindings`) is not called for children; children inherit
 * this method from their parent. */
const filterBindings = (logger: Logger): Logger => {
  const { child } = logger
  return Object.assign(logger, {
    child(this: Logger, bindings: pino.Bindings) {
      return child.call(this, permitted(bindings))
    },
  })
}

export type LogOptions = Readonly<{
  level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** For a developer's terminal; needs pino-pretty. */
  pretty: boolean
  /** Standard output when absent. */
  destination?: DestinationStream
}>

/**
 * The operator's log, a `Log`: one JSON object a line with `level`, `time` (RFC 3339), the facts of
 * `FACTS` and the event as `msg`; also for children (`log.child({ reqId })`). Nothing is
 * interpolated into an event.
 */
export const createLog = ({ level, pretty, destination }: LogOptions): Logger => {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: (described: unknown) => described },
    formatters: { level: (label: string) => ({ level: label }), log: permitted },
    hooks: {
      logMethod(this: Logger, args: unknown[], method: pino.LogFn) {
        const [first, event] = args
        if (typeof first === 'string') return method.call(this, {}, foreign(first))
        const facts = first instanceof Error ? { err: first } : (first ?? {})
        return method.call(this, facts, foreign(event) ?? 'event')
      },
    },
  }
  if (destination) return filterBindings(pino(options, destination))
  return filterBindings(
    pretty ? pino({ ...options, transport: { target: 'pino-pretty' } }) : pino(options),
  )
}
