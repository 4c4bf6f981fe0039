import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import type { Clock, MemberStore } from './accounts/ports.ts'
import { type Mailbox, startMailbox } from './adapters/mailbox.ts'
import { addDemoMembers, type DemoMember } from './config/demo-members.ts'
import type { AppConfig, Demo } from './config/index.ts'
import { hashPassword } from './factors/password.ts'
import { createPortal } from './portal/index.ts'

/** The demo, running; `announcement` is for the developer's terminal. */
export type RunningDemo = Readonly<{
  /** Where mails go, where the developer has configured no server. */
  smtpUrl: string | undefined
  announcement: string
  portal: Server
  close(): Promise<void>
}>

const memberLines = (members: readonly DemoMember[], config: AppConfig): readonly string[] =>
  [...config.societies.values()].flatMap((society) => [
    `  ${society.name.ja} / ${society.name.en}`,
    ...members
      .filter(({ societyId }) => societyId === society.id)
      .map(
        ({ loginId, password, birthdate, what }) =>
          `    ${loginId.padEnd(10)} ${password.padEnd(18)} ${birthdate}  ${what.ja} / ${what.en}`,
      ),
  ])

const announce = (
  config: AppConfig,
  members: readonly DemoMember[],
  urls: Readonly<{ portal: string; mailbox: string | undefined }>,
): string =>
  [
    '',
    'Kenpo ID のデモが動いています / The Kenpo ID demo is running',
    '',
    `  健康ポータル / portal      ${urls.portal}/  (さくら), ${urls.portal}/minato  (みなと)`,
    ...(urls.mailbox ? [`  届いたメール / mailbox     ${urls.mailbox}/`] : []),
    `  ログイン / sign-in service ${config.issuer}/`,
    '',
    'デモの会員（架空） / Demo members (fictional): ユーザID  パスワード  生年月日',
    ...memberLines(members, config),
    '',
    'まずポータルを開いて「ログイン」を押してください / Start at the portal, press ログイン.',
    '止めるには Ctrl+C / Ctrl+C stops it.',
    '',
  ].join('\n')

const startPortal = async (config: AppConfig, { portalPort }: Demo): Promise<Server> => {
  const portalUrl = `http://localhost:${portalPort}`
  const hints = new Map([
    ['sakura', '12345-678'],
    ['minato', '200-1234'],
  ])
  const clients = [...config.clientFile.clients.values()].flatMap(({ client, secret }) => {
    const { metadata, policy } = client
    const callback = metadata.redirect_uris.find((uri) => uri.startsWith(`${portalUrl}/`))
    const loginHint = hints.get(policy.society)
    if (callback === undefined || secret === undefined) return []
    return [
      {
        path: new URL(callback).pathname.replace(/\/callback$/, '') || '/',
        clientId: client.id,
        clientSecret: secret,
        name: {
          ja: metadata['client_name#ja'] ?? metadata.client_name,
          en: metadata['client_name#en'] ?? metadata.client_name,
        },
        ...(loginHint === undefined ? {} : { loginHint }),
      },
    ]
  })
  const portal = createPortal({ issuer: config.issuer, portalUrl, clients })
  const server = createServer(portal.callback())
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(portalPort, 'localhost', resolve)
  })
  return server
}

const closed = (server: Server): Promise<void> => {
  const done = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  return done
}

/**
 * Starts what only a developer's machine has: the fictional members, a mailbox where no mail server
 * is configured, and the portal. `server.ts` loads this file outside production only.
 * @throws the listening error where a port is in use
 */
export const startDemo = async (
  config: AppConfig & { readonly demo: Demo },
  ports: Readonly<{ members: MemberStore; clock: Clock }>,
): Promise<RunningDemo> => {
  const { demo, dataDir } = config
  const members = await addDemoMembers({
    ...config,
    ...ports,
    hashPassword,
    now: ports.clock.now(),
  })
  const mailbox: Mailbox | undefined =
    config.smtpUrl === undefined
      ? await startMailbox({
          file: join(dataDir, 'mailbox.json'),
          port: demo.mailboxPort,
          clock: ports.clock,
        })
      : undefined
  const portal = await startPortal(config, demo).catch(async (error: unknown) => {
    await mailbox?.close()
    throw error
  })
  return {
    smtpUrl: mailbox?.smtpUrl,
    announcement: announce(config, members, {
      portal: `http://localhost:${demo.portalPort}`,
      mailbox: mailbox?.url,
    }),
    portal,
    async close() {
      await closed(portal)
      await mailbox?.close()
    },
  }
}
