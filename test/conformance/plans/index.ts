import type { Plan } from '../module.ts'
import { browserSafety } from './browser-safety.ts'
import { code } from './code.ts'
import { discovery } from './discovery.ts'
import { logout } from './logout.ts'
import { memberAuth } from './member-auth.ts'
import { pkce } from './pkce.ts'
import { prompting } from './prompting.ts'
import { registration } from './registration.ts'
import { userinfoClaims } from './userinfo-claims.ts'

/** In the order they are run. */
export const PLANS: readonly Plan[] = [
  discovery,
  code,
  prompting,
  userinfoClaims,
  pkce,
  registration,
  logout,
  browserSafety,
  memberAuth,
]
