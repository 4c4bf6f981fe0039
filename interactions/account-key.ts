import { createHmac } from 'node:crypto'
import { loginKey, type MemberId } from '../accounts/member.ts'
import type { Settings } from './services.ts'

const keyed = (codeKey: Buffer, text: string): string =>
  createHmac('sha256', codeKey).update(text).digest('base64url')

/** Under what an account's attempts are counted: the same for known and unknown IDs, and no ID. */
export const accountKey = (
  { codeKey }: Pick<Settings, 'codeKey'>,
  societyId: string,
  typedId: string,
): string => keyed(codeKey, `account|${societyId}|${loginKey(typedId)}`)

/** Under what a member's attempts are counted where the page itself tells it: no ID either. */
export const memberKey = ({ codeKey }: Pick<Settings, 'codeKey'>, memberId: MemberId): string =>
  keyed(codeKey, `member|${memberId}`)
