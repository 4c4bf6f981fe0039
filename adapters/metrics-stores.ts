import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Throttle } from '../accounts/ports.ts'
import type { Adapters } from './adapters.ts'

/**
 * Figures of the stores' calls and of the queue of mails, in this registry: gives the stores, each
 * call of which is timed. Whatever else they have, and a port's every method, is there as it was.
 * `countLimits` is put around the throttle. Once per registry.
 */
export const storeFigures = (
  registry: Registry,
  countLimits: (throttle: Throttle) => Throttle,
): ((stores: Adapters) => Adapters) => {
  const registers = [registry]
  const operations = new Histogram({
    name: 'idp_store_op_duration_seconds',
    help: 'Calls of the stores',
    labelNames: ['store', 'op'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
    registers,
  })
  const failures = new Counter({
    name: 'idp_store_op_failures_total',
    help: 'Calls of the stores that threw, lost races among them',
    labelNames: ['store', 'op'],
    registers,
  })
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

  /** The port with each of its promises timed; what answers otherwise passes as it is. */
  const timed = <Port extends object>(port: Port, store: string): Port => {
    const wrapped = new Map<string, Readonly<{ value: unknown; made: unknown }>>()
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
              failures.inc(labels)
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
        if (held?.value === value) return held.made
        // A port's methods take and give what their callers know; here they only pass.
        const made = wrap(op, value as (...args: unknown[]) => unknown)
        wrapped.set(op, { value, made })
        return made
      },
    })
  }

  return (stores) => {
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
  }
}
