import { randomInt } from 'node:crypto'
import type { EpochSeconds } from '../accounts/member.ts'
import type { Clock, Log, Mailer, MailRequest, Outbox, WrittenMail } from '../accounts/ports.ts'
import { MailNotSentError } from './smtp.ts'

export type OutboxWorker = Readonly<{
  /** Looks for due mails at once: call it after adding one. */
  nudge(): void
  /** Claims nothing more; resolves when the mails on their way have been reported. */
  stop(): Promise<void>
}>

type Dependencies = Readonly<{
  outbox: Outbox
  /** The mail's words, made when it is sent; undefined: it is not worth sending any more. */
  write: (mail: MailRequest) => Promise<WrittenMail | undefined>
  mailer: Mailer
  clock: Clock
  log: Log
}>

/** Mails on their way at once: as many as the mailer has connections. */
const IN_FLIGHT = 5
const POLL_MS = 1000
/** Longer than any one sending takes: only a crash leaves a lease to run out. */
const LEASE_SECONDS = 60
const MAX_BACKOFF_SECONDS = 60

/** 1, 2, 4 … 60 seconds and up to half of that again, so that mails that failed together part. */
const backoffSeconds = (attempts: number): number => {
  const base = Math.min(2 ** (attempts - 1), MAX_BACKOFF_SECONDS)
  return base + randomInt(Math.floor(base / 2) + 1)
}

/** Server and socket errors only: their texts quote addresses, so a line carries their codes. */
const faultOf = (error: unknown) =>
  error instanceof MailNotSentError
    ? { reason: error.detail, status: error.replyCode }
    : { reason: 'notWritten', err: error }

/**
 * Sends what is in the outbox: each mail once, as far as a crash allows (one that dies between the
 * server's yes and its own note sends again when the lease has run out). A mail that fails waits
 * longer each time until it is not worth sending; one that the server refuses for good has failed.
 */
export const startOutboxWorker = (dependencies: Dependencies): OutboxWorker => {
  const { outbox, write, mailer, clock, log } = dependencies
  const inFlight = new Set<Promise<void>>()
  let stopped = false
  let claiming: Promise<void> | undefined
  let claimAgain = false
  let timer: NodeJS.Timeout | undefined

  const giveUp = async (mail: MailRequest, attempts: number, fault: object) => {
    await outbox.failed(mail.id, clock.now())
    log.error({ mailId: mail.id, template: mail.template, attempts, ...fault }, 'mail_failed')
  }

  /** Nobody got round to it in time: the servers were down, or its sender died on the way. */
  const sayExpired = ({ id, template }: MailRequest, attempts: number) =>
    log.error({ mailId: id, template, attempts, reason: 'expired' }, 'mail_failed')

  const drop = async (mail: MailRequest) => {
    await outbox.failed(mail.id, clock.now())
    log.info({ mailId: mail.id, template: mail.template }, 'mail_dropped')
  }

  const putOff = async (mail: MailRequest, attempts: number, fault: object) => {
    const until: EpochSeconds = clock.now() + backoffSeconds(attempts)
    if (until >= mail.expiresAt) return giveUp(mail, attempts, fault)
    await outbox.retry(mail.id, until)
    log.warn(
      { mailId: mail.id, template: mail.template, attempts, until, ...fault },
      'mail_put_off',
    )
  }

  const deliver = async (mail: MailRequest, attempts: number) => {
    try {
      const written = await write(mail)
      if (!written) return await drop(mail)
      await mailer.send(written)
    } catch (error) {
      const final = error instanceof MailNotSentError && error.permanent
      return await (final ? giveUp : putOff)(mail, attempts, faultOf(error))
    }
    await outbox.sent(mail.id, clock.now())
    log.info({ mailId: mail.id, template: mail.template, attempts }, 'mail_sent')
  }

  const start = (mail: MailRequest, attempts: number) => {
    const delivery = deliver(mail, attempts)
      // The store could not be told: the lease runs out and the mail is claimed again.
      .catch((error: unknown) => log.error({ mailId: mail.id, err: error }, 'outbox_unreachable'))
      .finally(() => {
        inFlight.delete(delivery)
        nudge()
      })
    inFlight.add(delivery)
  }

  const claim = async () => {
    const free = IN_FLIGHT - inFlight.size
    if (stopped || free === 0) return
    const due = await outbox.claim(clock.now(), free, LEASE_SECONDS, sayExpired)
    for (const { item, attempts } of due) start(item, attempts)
  }

  const nudge = () => {
    if (stopped) return
    if (claiming) {
      claimAgain = true
      return
    }
    clearTimeout(timer)
    claiming = claim()
      .catch((error: unknown) => log.error({ err: error }, 'outbox_unreachable'))
      .then(() => {
        claiming = undefined
        if (stopped) return
        if (claimAgain) {
          claimAgain = false
          nudge()
        } else {
          timer = setTimeout(nudge, POLL_MS)
        }
      })
  }

  nudge()
  return {
    nudge,
    async stop() {
      stopped = true
      clearTimeout(timer)
      await claiming
      await Promise.all(inFlight)
    },
  }
}
