import type { Facts, StepId } from '../../accounts/enrolment.ts'
import type { StepHandler } from '../step.ts'
import { addDevice } from './add-device.ts'
import { birthdate } from './birthdate.ts'
import { chooseFactor } from './choose-factor.ts'
import { deskPass } from './desk-pass.ts'
import { done } from './done.ts'
import { email } from './email.ts'
import { enrolled } from './enrolled.ts'
import { newPassword } from './new-password.ts'
import { password } from './password.ts'
import { recoveryCodes } from './recovery-codes.ts'
import { registerFactor } from './register-factor.ts'
import { terms } from './terms.ts'
import { verifyFactor } from './verify-factor.ts'

/** A page for each row of the step table; a missing one does not compile. */
export type StepHandlers = {
  readonly [Id in StepId]: Id extends 'password' ? StepHandler<Facts> : StepHandler
}

export const handlers: StepHandlers = {
  password,
  deskPass,
  enrolled,
  verifyFactor,
  birthdate,
  terms,
  email,
  chooseFactor,
  newPassword,
  registerFactor,
  recoveryCodes,
  addDevice,
  done,
}
