import type { SecondFactor } from '../../accounts/enrolment.ts'
import { emailCode } from './email-code.ts'
import type { Method } from './method.ts'
import { passkey } from './passkey.ts'
import { recoveryCode } from './recovery-code.ts'
import { totp } from './totp.ts'

/** The pages of each second factor. */
export const methods: Readonly<Record<SecondFactor, Method>> = {
  passkey,
  totp,
  emailCode,
  recoveryCode,
}
