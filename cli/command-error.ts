import type { Localized } from '../accounts/society.ts'

/** The operator asked for something that cannot be done; the message says what, in two languages. */
export class CommandError extends Error {}

/** What was typed cannot be meant: exit code 2. */
export class UsageError extends CommandError {}

const both = ({ ja, en }: Localized): string => `${ja}\n${en}`

export const refused = (text: Localized): CommandError => new CommandError(both(text))
export const misused = (text: Localized): UsageError => new UsageError(both(text))
