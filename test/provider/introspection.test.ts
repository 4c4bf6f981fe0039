import { describe, expect, test } from '@jest/globals'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { mayIntrospect } from '../../provider/introspection.ts'

type Check = ReturnType<typeof mayIntrospect>
type Known = Parameters<typeof mayIntrospect>[0]

const ISSUED = 1_775_000_000

/** Whether the client may learn what a token of its own, for no member, is worth. */
const asks = (issuedTo: Readonly<{ disabled?: string; tokensSince: number }> | undefined) => {
  // What the check looks at of a client, a caller and a token.
  const known = { find: async () => issuedTo && { client: issuedTo } } as unknown as Known
  const caller = {
    clientId: 'app',
    clientAuthMethod: 'client_secret_basic',
  } as Parameters<Check>[1]
  const token = { clientId: 'app', iat: ISSUED } as Parameters<Check>[2]
  const nobody = async () => undefined
  return mayIntrospect(known, nobody)({} as KoaContextWithOIDC, caller, token)
}

describe('What a client learns of a token of its own', () => {
  test('is what it is worth, from the moment it was issued', async () => {
    expect(await asks({ tokensSince: 0 })).toBe(true)
    expect(await asks({ tokensSince: ISSUED })).toBe(true)
  })

  test('is nothing once the client was disabled, made anew or removed since', async () => {
    expect(await asks({ tokensSince: 0, disabled: 'leaked' })).toBe(false)
    expect(await asks({ tokensSince: ISSUED + 1 })).toBe(false)
    expect(await asks(undefined)).toBe(false)
  })
})
