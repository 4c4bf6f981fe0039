import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Log, Mailer } from '../accounts/ports.ts'
import type { KeyAge } from '../keys/live.ts'
import type { Adapters } from './index.ts'
import { limitFigures } from './metrics-limits.ts'
import { logFigures } from './metrics-log.ts'
import { storeFigures } from './metrics-stores.ts'

/** Figures for the operator, taken where the facts pass by: no part of the product knows of them. */
export type Metrics = Readonly<{
  registry: Registry
  /** The log, whose lines are counted as well, whatever its level. */
  log(log: Log): Log
  /** The stores, each call of which is timed; all else about them is as it was. */
  stores(stores: Adapters): Adapters
  /** Ages of the keys that sign, asked for with each look at the figures. */
  keys(ages: () => readonly KeyAge[]): void
  /** The mail server, each call of which is timed. */
  mailer(mailer: Mailer): Mailer
}>

/** Password hashing in this process: `running` at once, and those `waiting` for their turn. */
export type HashingLoad = () => Readonly<{ running: number; waiting: number }>

const gaugeHashing = (registry: Registry, hashing: HashingLoad) =>
  new Gauge({
    name: 'idp_password_hashing',
    help: 'Password hashes under way in this process, and those waiting for their turn',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const { running, waiting } = hashing()
      this.set({ state: 'running' }, running)
      this.set({ state: 'waiting' }, waiting)
    },
  })

const gaugeKeys = (registry: Registry, ages: () => readonly KeyAge[]) =>
  new Gauge({
    name: 'idp_keys_age_seconds',
    help: 'How long the key of each algorithm has been signing',
    labelNames: ['alg'],
    // Each process uses the same keys.
    aggregator: 'max',
    registers: [registry],
    collect() {
      this.reset()
      for (const { alg, seconds } of ages()) this.set({ alg }, seconds)
    },
  })

const mailerFigures = (registry: Registry): Metrics['mailer'] => {
  const sending = new Histogram({
    name: 'idp_mail_send_duration_seconds',
    help: 'One mail handed to the mail server, or refused by it',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  })
  return (mailer) => ({
    async send(mail) {
      const end = sending.startTimer()
      try {
        await mailer.send(mail)
      } finally {
        end()
      }
    },
  })
}

/**
 * Every figure of this process, in a registry of its own. No label says who: they hold routes,
 * methods, limits, templates and relying parties, of which there are as many as were configured.
 */
export const createMetrics = (hashing: HashingLoad): Metrics => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  gaugeHashing(registry, hashing)
  let agesOfKeys: () => readonly KeyAge[] = () => []
  gaugeKeys(registry, () => agesOfKeys())
  return {
    registry,
    log: logFigures(registry),
    stores: storeFigures(registry, limitFigures(registry)),
    keys: (ages) => {
      agesOfKeys = ages
    },
    mailer: mailerFigures(registry),
  }
}
