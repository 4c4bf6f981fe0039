import { hkdfSync } from 'node:crypto'
import { EncryptJWT, errors, jwtDecrypt } from 'jose'
import { z } from 'zod'
import type { StartedSignIn } from './relying-party.ts'

const MAX_STARTED = 5
const LIFETIME = '1 day'

const content = z.object({
  started: z.array(
    z.object({
      state: z.string(),
      nonce: z.string(),
      codeVerifier: z.string(),
      maxAge: z.number().optional(),
    }),
  ),
})

/**
 * A browser's sign-ins under way, as that browser keeps them: encrypted (RFC 7516) with a key made
 * of the client's secret, so that a portal restarted in between knows them still.
 */
export const createSeal = (clientSecret: string) => {
  const key = new Uint8Array(hkdfSync('sha256', clientSecret, '', 'portal: started sign-ins', 32))

  return {
    /** The newest of these, as a cookie's value of less than 2,000 characters. */
    seal(started: readonly StartedSignIn[]): Promise<string> {
      return new EncryptJWT({ started: started.slice(-MAX_STARTED) })
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .setExpirationTime(LIFETIME)
        .encrypt(key)
    },

    /** Nothing, where the value is none of ours or too old. */
    async open(value: string | undefined): Promise<readonly StartedSignIn[]> {
      if (value === undefined) return []
      try {
        const { payload } = await jwtDecrypt(value, key)
        return content.parse(payload).started
      } catch (error) {
        if (error instanceof errors.JOSEError) return []
        throw error
      }
    },
  }
}
