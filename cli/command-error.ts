import { IdentityError } from '../accounts/errors.ts'
import type { Localized } from '../accounts/society.ts'

/** The operator asked for something that cannot be done; the message says what, in two languages. */
export class CommandError extends Error {}

/** What was typed cannot be meant: exit code 2. */
export class UsageError extends CommandError {}

/** The change is made, and what was to follow it is not; the message says so, and what to do. */
export class UnfinishedError extends CommandError {
  /** What the operator is shown of the change, once. */
  readonly shown: string
  constructor(shown: string, text: Localized, options?: ErrorOptions) {
    super(both(text), options)
    this.shown = shown
  }
}

/** In one line, as far as it is known. */
export const reasonOf = (error: unknown): string => {
  if (error instanceof IdentityError) return [error.code, error.detail].filter(Boolean).join(': ')
  return error instanceof Error ? error.message : String(error)
}

const both = ({ ja, en }: Localized): string => `${ja}\n${en}`

export const refused = (text: Localized): CommandError => new CommandError(both(text))
export const misused = (text: Localized): UsageError => new UsageError(both(text))
