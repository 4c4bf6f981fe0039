import { type Command, Option } from 'commander'
import type { Locale } from '../accounts/member.ts'
import type { Localized } from '../accounts/society.ts'
import type { BackupCounts } from '../adapters/backup-file.ts'
import { keepSetting } from '../adapters/index.ts'
import { connected } from '../adapters/store-connect.ts'
import { type StoreRefusal, StoreRefusedError } from '../adapters/store-refusal.ts'
import { systemClock } from '../adapters/system.ts'
import { type Environment, loadConfig } from '../config/index.ts'
import { refused } from './command-error.ts'

/** What these commands work with. */
export type Io = Readonly<{
  env: Environment
  say: (line: string) => void
  /** For lines about the progress, which are no part of the answer. */
  note: (line: string) => void
  refusedSome: () => void
}>

const REFUSALS: Readonly<Record<StoreRefusal, Localized>> = {
  noFile: {
    ja: 'このファイルはありません。',
    en: 'There is no such file.',
  },
  inUse: {
    ja: '起動中のサーバーがこのファイルを使っています。すべて止めてから、もう一度実行してください。',
    en: 'A running server has this file open. Stop every server, then run this again.',
  },
  unreachable: {
    ja: 'サーバーに接続できません。起動していること、接続先と権限の設定を確認してください。',
    en: 'This server does not answer. Check that it runs, and its address and credentials.',
  },
  notDurable: {
    ja: 'このRedisは使用済みのコードを忘れるおそれがあります。設定を直してください。',
    en: 'This Redis may forget used codes. Mend its settings first.',
  },
  targetHoldsData: {
    ja: '移し先に、ほかのデータがあります。空のデータベースと空のRedisを用意してください。',
    en: 'The target holds other data. Give it an empty database and an empty Redis.',
  },
  movedAlready: {
    ja: 'このファイルはすでに移し終えています。何もしませんでした。',
    en: 'This file has been moved already. Nothing was done.',
  },
  fileExists: {
    ja: 'このファイルはすでにあります。上書きはしません。別の場所へ移してください。',
    en: 'This file exists, and is never written over. Move it away first.',
  },
  notABackup: {
    ja: '完全なバックアップのファイルではありません。',
    en: 'This is no whole backup.',
  },
  notReadBack: {
    ja: '書いたバックアップを読み返すと壊れていたので、残しませんでした。ディスクを確かめて、もう一度実行してください。',
    en: 'What was written is damaged when read back, and was not kept. Check the disk, and run this again.',
  },
  tooNew: {
    ja: 'より新しい版が作ったバックアップです。その版か、後の版を使ってください。',
    en: 'A later release has made this backup. Use that release or a later one.',
  },
}

/** What the stores refuse, in words. */
const explained = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof StoreRefusedError)) throw error
    const { ja, en } = REFUSALS[error.reason]
    const detail = error.detail === '' ? '' : `\n${error.detail}`
    throw refused({ ja, en: `${en}${detail}` })
  }
}

const migrate = async ({ env, say }: Io): Promise<void> => {
  const { store } = loadConfig(env, undefined, keepSetting)
  if (store.kind === 'embedded') {
    say('埋め込みのファイルは、開くときに自動で更新されます。何もすることはありません。')
    say('An embedded file is brought up to date whenever it is opened: nothing to do.')
    return
  }
  const { openMongo } = await import('../adapters/mongo/index.ts')
  const mongo = openMongo(store.mongo, systemClock)
  try {
    await connected([
      { name: 'MongoDB', ping: () => mongo.pendingMigrations().then(() => undefined) },
    ])
    const done = await mongo.migrate()
    for (const step of done) say(`MongoDB: ${step}`)
    const fault = await mongo.schemaFault()
    if (fault !== undefined) {
      throw refused({
        ja: 'MongoDBは新しい版のもので、この版では使えません。新しい版を動かすか、その前のバックアップから戻してください。',
        en: `MongoDB: ${fault}`,
      })
    }
    say(
      done.length > 0
        ? 'MongoDBをこの版に合わせました。\nMongoDB is up to date with this release.'
        : 'MongoDBはすでにこの版に合っています。\nMongoDB was up to date already: nothing to do.',
    )
  } finally {
    await mongo.close()
  }
}

const backupsOfFile = () => import('../adapters/backup-file.ts')
const backupsOfMongo = () => import('../adapters/backup-mongo.ts')

const countsLine = (counts: BackupCounts): string =>
  Object.entries(counts)
    .map(([kind, number]) => `${kind} ${number}`)
    .join(', ')

const backUp = async (to: string, { env, say }: Io): Promise<void> => {
  const { store, dataDir } = loadConfig(env, undefined, keepSetting)
  const counts = await (store.kind === 'embedded'
    ? (await backupsOfFile()).backUpFile(dataDir, to)
    : (await backupsOfMongo()).backUpMongo(store.mongo, to))
  say(`${to}: ${countsLine(counts)}`)
}

const restore = async (from: string, { env, say }: Io): Promise<void> => {
  // Without the keeper of secrets, which would make the file that is to be restored.
  const { store, dataDir } = loadConfig(env)
  const counts = await (store.kind === 'embedded'
    ? (await backupsOfFile()).restoreFile(from, dataDir, systemClock)
    : (await backupsOfMongo()).restoreMongo(from, store.mongo, systemClock))
  say(`${from}: ${countsLine(counts)}`)
}

/** `migrate` and `store move|backup|restore`: what an operator does to the stores as a whole. */
export const addStoreCommands = (program: Command, io: Io): void => {
  program
    .command('migrate')
    .description(
      'bring MongoDB’s schema up to this release, while the former one may still serve; safe to repeat',
    )
    .action(() => explained(() => migrate(io)))

  const store = program.command('store').description('everything that is kept')
  store
    .command('move')
    .description(
      'move an embedded file into the configured Redis and MongoDB; stop every server first',
    )
    .requiredOption('--from <directory>', 'the data directory of the embedded store')
    .addOption(
      new Option('--lang <language>', 'of the answers').choices(['ja', 'en']).default('ja'),
    )
    .action(({ from, lang }: { from: string; lang: Locale }) =>
      explained(async () => (await import('./store-move.ts')).move(from, lang, io)),
    )
  store
    .command('backup')
    .description('write accounts and all that lasts into a new file, beside running servers')
    .requiredOption('--to <file>', 'the new file, readable by this user only')
    .action(({ to }: { to: string }) => explained(() => backUp(to, io)))
  store
    .command('restore')
    .description('fill an empty store from a backup; everybody has to sign in again')
    .requiredOption('--from <file>', 'what `store backup` has written')
    .action(({ from }: { from: string }) => explained(() => restore(from, io)))
}
