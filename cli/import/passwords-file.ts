import { existsSync } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { EpochSeconds, Locale, Member, MemberId } from '../../accounts/member.ts'
import { japaneseDay } from '../../interactions/wording.ts'
import { misused } from '../command-error.ts'
import { createCsvFile, createPrivateFile } from '../csv-file.ts'

/** An initial password and whose it is to be. */
export type Promised = Readonly<{
  memberId: MemberId
  societyId: string
  loginId: string
  password: string
  at: EpochSeconds
  expiresAt?: EpochSeconds
}>

/**
 * The passwords on their way to the postcards. Until the import has ended they stand in
 * `<file>.part`: each is on disk there before its member is stored, so that no member ever has a
 * password that is in no file, and an import that was broken off goes on with the same ones. At the
 * end those that are really a member's are written to `<file>`, whole or not at all.
 */
export type PasswordsFile = Readonly<{
  /** What an import that was broken off has already promised, by `key`. */
  promised: ReadonlyMap<string, Promised>
  /** On disk (fsync) when it resolves. */
  promise(passwords: readonly Promised[]): Promise<void>
  /** Writes the file; returns how many passwords it holds. With none, there is none. */
  finish(find: (id: MemberId) => Promise<Member | undefined>): Promise<number>
  /** Leaves what was promised to be taken up again. */
  close(): Promise<void>
}>

const HEADERS: Readonly<Record<Locale, readonly string[]>> = {
  ja: ['健保組合', 'ユーザID', '初期パスワード', '期限'],
  en: ['society', 'login_id', 'password', 'valid_until'],
}

/** A crash tears at most the last line, whose member was not stored. */
const readPromises = async (handle: FileHandle): Promise<readonly Promised[]> => {
  const text = await handle.readFile('utf8')
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  await handle.truncate(Buffer.byteLength(whole))
  // Only `promise` writes the file, which is this user's alone.
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Promised)
}

/** Whether this is the password with which the member was stored, and still is. */
const isTrue = (promised: Promised, member: Member | undefined): boolean =>
  member?.password.initial === 'random' && member.password.changedAt === promised.at

const syncFolder = async (path: string): Promise<void> => {
  const folder = await open(dirname(path))
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

const openPart = async (path: string, part: string, resume: boolean): Promise<FileHandle> => {
  if (existsSync(path)) {
    throw misused({
      ja: `"${path}" はすでにあります。上書きはしません。別の名前にしてください。`,
      en: `"${path}" exists already and is not overwritten: choose another name.`,
    })
  }
  if (!existsSync(part)) return createPrivateFile(part)
  if (resume) return open(part, 'r+')
  throw misused({
    ja: `"${part}" があります。途中で止まった取り込みの続きなら --resume を付けてください。今も動いているなら、終わるまで待ってください。`,
    en: `There is "${part}": to go on with an import that was broken off, add --resume. If it is still running, wait for it.`,
  })
}

/** @throws UsageError where the file exists, or an import that was broken off is to be resumed */
export const openPasswordsFile = async (
  path: string,
  options: Readonly<{
    resume: boolean
    locale: Locale
    key: (promised: Pick<Promised, 'societyId' | 'loginId'>) => string
  }>,
): Promise<PasswordsFile> => {
  const part = `${path}.part`
  const handle = await openPart(path, part, options.resume)
  const earlier = await readPromises(handle)
  await syncFolder(part)
  let end = (await handle.stat()).size
  const promises: Promised[] = [...earlier]

  const write = async (finished: readonly Promised[]): Promise<void> => {
    const made = `${path}.new`
    await rm(made, { force: true })
    const file = await createCsvFile(made, HEADERS[options.locale])
    for (const { societyId, loginId, password, expiresAt } of finished) {
      const until = expiresAt === undefined ? '' : japaneseDay(expiresAt - 1)
      await file.write([societyId, loginId, password, until])
    }
    await file.close()
    await rename(made, path)
    await syncFolder(path)
  }

  return {
    promised: new Map(earlier.map((one) => [options.key(one), one])),
    promise: async (passwords) => {
      const lines = passwords.map((one) => `${JSON.stringify(one)}\n`).join('')
      const bytes = Buffer.from(lines)
      for (let written = 0; written < bytes.length; ) {
        // A full disk takes a part, and the next write says why.
        const { bytesWritten } = await handle.write(bytes, written, null, end)
        written += bytesWritten
        end += bytesWritten
      }
      await handle.sync()
      promises.push(...passwords)
    },
    finish: async (find) => {
      const finished: Promised[] = []
      for (const one of promises) {
        if (isTrue(one, await find(one.memberId))) finished.push(one)
      }
      if (finished.length > 0) await write(finished)
      await handle.close()
      await rm(part)
      await syncFolder(path)
      return finished.length
    },
    close: async () => {
      await handle.close()
      if (promises.length === 0) await rm(part)
    },
  }
}
