import { createHmac } from 'node:crypto'
import { loginKey } from '../accounts/member.ts'
import type { Settings } from './services.ts'

/** Under what an account's attempts are counted: the same for known and unknown IDs, and no ID. */
export const accountKey = (
  { codeKey }: Pick<Settings, 'codeKey'>,
  societyId: string,
  typedId: string,
): string =>
  createHmac('sha256', codeKey)
    .update(`account|${societyId}|${loginKey(typedId)}`)
    .digest('base64url')
