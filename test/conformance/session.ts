import type { Arrival, Browser } from './drivers/driver.ts'
import type { Member } from './drivers/page-rules.ts'

export type { Browser, Member }

/** A browser in which somebody has signed in, and how that went. */
export type MemberSession = Readonly<{ browser: Browser; arrival: Arrival }>
