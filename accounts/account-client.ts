import type { ClientPolicy } from './policy.ts'
import type { Society } from './society.ts'

/** The society's account page is a relying party of ours with this client ID. */
export const accountClientId = (societyId: string): string => `account-${societyId}`

/** Its front page, below which are all others. */
export const accountPath = (societyId: string): string => `/account/${societyId}`

/** Where the authorization response comes back to. */
export const accountCallbackPath = (societyId: string): string =>
  `${accountPath(societyId)}/callback`

export const ACCOUNT_NAMES = { ja: 'ログインの設定', en: 'Login settings' } as const

/** The account page's own policy: two steps, like the portal. */
export const accountClientPolicy = (issuer: string, { id }: Pick<Society, 'id'>): ClientPolicy => ({
  clientId: accountClientId(id),
  name: ACCOUNT_NAMES.ja,
  names: ACCOUNT_NAMES,
  societyId: id,
  uri: `${issuer}${accountPath(id)}`,
  requiredAcr: 'urn:kenpo-id:acr:email',
})
