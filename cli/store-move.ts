import { resolve } from 'node:path'
import type { Locale } from '../accounts/member.ts'
import type { Localized } from '../accounts/society.ts'
import { keepSetting } from '../adapters/index.ts'
import { agrees, holdFile, type MovedCounts, moveStore } from '../adapters/move.ts'
import { systemClock } from '../adapters/system.ts'
import { loadConfig } from '../config/index.ts'
import { misused } from './command-error.ts'
import type { Io } from './store.ts'

const needsServers = (): Error =>
  misused({
    ja: '移し先が設定されていません。IDP_STORE=redis+mongoと、RedisとMongoDBの接続先を設定してください。',
    en: 'There is no target. Set IDP_STORE=redis+mongo and the addresses of Redis and MongoDB.',
  })

const HEADINGS: Readonly<Record<Locale, readonly [string, string, string, string]>> = {
  ja: ['種類', 'ファイル', '移し先', '読み返し'],
  en: ['kind', 'in the file', 'in the target', 'read back'],
}

/** A kanji takes the room of two letters in a terminal. */
const widthOf = (text: string): number =>
  [...text].reduce((width, letter) => width + (letter > '\u2e7f' ? 2 : 1), 0)
const NAME_WIDTH = 36
const COUNT_WIDTH = 14
const name = (text: string): string => text + ' '.repeat(Math.max(1, NAME_WIDTH - widthOf(text)))
const count = (text: string): string => ' '.repeat(Math.max(1, COUNT_WIDTH - widthOf(text))) + text

const tableOf = (counts: readonly MovedCounts[], locale: Locale): string => {
  const [kind, ...numbers] = HEADINGS[locale]
  return [
    `${name(kind)}${numbers.map(count).join('')}`,
    ...counts.map((row) => {
      const cells = [row.inFile, row.inTarget, row.readBack].map((cell) => count(String(cell)))
      return `${name(row.name)}${cells.join('')}${agrees(row) ? '' : '  ✗'}`
    }),
  ].join('\n')
}

const ENDS = {
  complete: {
    ja: 'すべて一致しました。IDP_STORE=redis+mongoでサーバーを起動できます。元のファイルは、確認が済むまで保管してください。',
    en: 'All counts agree. Servers may start with IDP_STORE=redis+mongo. Keep the old file until you have seen them work.',
  },
  incomplete: {
    ja: '✗の行が一致しません。サーバーを起動せず、同じコマンドをもう一度実行してください。',
    en: 'The rows marked ✗ do not agree. Start no server, and run the same command again.',
  },
} as const satisfies Record<string, Localized>

/** Moves an embedded file into the configured servers, and tells the counts. @throws CommandError,
 * StoreRefusedError */
export const move = async (from: string, locale: Locale, io: Io): Promise<void> => {
  const file = holdFile(from)
  try {
    // Secrets of development that the file holds are read from it: nobody else may open it now.
    const config = loadConfig(io.env, undefined, (dataDir, name, make) =>
      resolve(dataDir) === resolve(from)
        ? file.settings.obtain(name, make)
        : keepSetting(dataDir, name, make),
    )
    if (config.store.kind !== 'redis+mongo') throw needsServers()
    const { counts, complete } = await moveStore(file, config.store, {
      clock: systemClock,
      checksDurability: config.production,
      say: io.note,
    })
    io.say(tableOf(counts, locale))
    io.say(ENDS[complete ? 'complete' : 'incomplete'][locale])
    if (!complete) io.refusedSome()
  } finally {
    file.close()
  }
}
