import { addApp } from './add-app.ts'
import { addPasskey } from './add-passkey.ts'
import { connections } from './connections.ts'
import { email } from './email.ts'
import { history } from './history.ts'
import type { AccountPage } from './page.ts'
import { password } from './password.ts'
import { prefer } from './prefer.ts'
import { recoveryCodes } from './recovery-codes.ts'
import { remove } from './remove.ts'
import { rename } from './rename.ts'
import { secondEmail } from './second-email.ts'
import { sessions } from './sessions.ts'

/** The pages below the account page, by the first part of their path. */
export const accountPages: ReadonlyMap<string, AccountPage> = new Map([
  ['add-passkey', addPasskey],
  ['rename', rename],
  ['remove', remove],
  ['add-app', addApp],
  ['email', email],
  ['second-email', secondEmail],
  ['method', prefer],
  ['recovery-codes', recoveryCodes],
  ['password', password],
  ['sessions', sessions],
  ['connections', connections],
  ['history', history],
])
