import { foundationClients } from '../../config/conformance/clients.ts'
import { CONFORMANCE_MEMBERS } from '../../config/conformance/members.ts'

/** `["text" | "click" | "wait", by, target, …]`, as the suite's own scripted browser takes them. */
export type Command = readonly (string | number)[]
export type Task = Readonly<{
  task: string
  match?: string
  optional?: true
  commands?: readonly Command[]
}>
export type Visit = Readonly<{ comment?: string; match: string; tasks: readonly Task[] }>
export type Configuration = Readonly<{
  description: string
  alias?: string
  server: Readonly<{ discoveryUrl: string; login_hint: string }>
  client: Readonly<Record<string, string>>
  client2?: Readonly<Record<string, string>>
  client_secret_post?: Readonly<Record<string, string>>
  browser: readonly Visit[]
  override: Readonly<Record<string, Readonly<{ browser: readonly Visit[] }>>>
}>

/** One file for the OpenID Foundation's suite, and what to choose there. */
export type Plan = Readonly<{
  /** Of its file, without .json. */
  name: string
  /** As the suite calls it. */
  plan: string
  variant: Readonly<Record<string, string>>
  configuration: Configuration
}>

const WAIT_SECONDS = 10
const WHO = CONFORMANCE_MEMBERS.find(({ loginId }) => loginId === 'conf-pwd')
/** The suite's browser asks for English, a person's for either. */
const SIGN_IN_PAGE = 'ログイン|Log in'
const SIGNED_OUT_PAGE = 'ログアウト|logged out|Logged out'

/** Waits for words in an element; `update-image-placeholder` keeps the page as what is to be shown. */
const see = (id: string, words: string, ...action: readonly string[]): Command => [
  'wait',
  'id',
  id,
  WAIT_SECONDS,
  words,
  ...action,
]
const SHOWN = 'update-image-placeholder'

/** What the scripted browser does at this issuer's pages. */
const scripts = (issuer: string) => {
  const authorization = `${issuer}/auth*`
  const interaction = `${issuer}/interaction/*`
  const endSession = `${issuer}/session/end*`

  // Commands are optional since one address has several pages: who is signed in already meets the
  // consent there.
  const signIn = (...before: readonly Command[]): Task => ({
    task: 'Sign in',
    match: interaction,
    optional: true,
    commands: [
      ...before,
      ['text', 'id', 'username', WHO?.loginId ?? '', 'optional'],
      ['text', 'id', 'password', WHO?.password ?? '', 'optional'],
      ['click', 'css', '#form-password #send', 'optional'],
    ],
  })
  const consent: Task = {
    task: 'Allow',
    match: interaction,
    optional: true,
    commands: [['click', 'id', 'allow', 'optional']],
  }
  const back: Task = {
    task: 'Back at the client',
    match: '*/test/*/callback*',
    commands: [['wait', 'id', 'submission_complete', WAIT_SECONDS]],
  }
  const signInVisit: Visit = { match: authorization, tasks: [signIn(), consent, back] }
  const confirm: Task = {
    task: 'Confirm the sign-out',
    match: endSession,
    commands: [['click', 'id', 'logout-yes']],
  }

  const signInShown: Visit = {
    comment: 'the second sign-in page is kept',
    match: authorization,
    tasks: [signIn(see('main', SIGN_IN_PAGE, 'update-image-placeholder-optional')), consent, back],
  }
  const pageShown: Visit = {
    comment: 'the sign-in page is kept, nobody signs in',
    match: authorization,
    tasks: [
      { task: 'See the page', match: interaction, commands: [see('main', SIGN_IN_PAGE, SHOWN)] },
    ],
  }
  const errorAt = (match: string, code: string): Visit => ({
    comment: 'an error page at once',
    match,
    tasks: [{ task: 'See the error', match, commands: [see('error-code', code, SHOWN)] }],
  })
  // The inner redirect_uri counts, or the request is refused on a page.
  const eitherWay: Visit = {
    match: authorization,
    tasks: [
      {
        task: 'See the error',
        match: authorization,
        optional: true,
        commands: [see('error-code', 'invalid', SHOWN)],
      },
      signIn(),
      consent,
      { ...back, optional: true },
    ],
  }
  const signedOutShown: Visit = {
    match: endSession,
    tasks: [
      confirm,
      {
        task: 'See that it is over',
        match: `${issuer}/session/end/success*`,
        commands: [see('main', SIGNED_OUT_PAGE, SHOWN)],
      },
    ],
  }

  const browser: readonly Visit[] = [
    signInVisit,
    {
      match: endSession,
      tasks: [confirm, { task: 'Back at the client', match: '*/test/*/post*' }],
    },
  ]
  const logoutError = (code: string) => ({ browser: [signInVisit, errorAt(endSession, code)] })
  const logoutPage = { browser: [signInVisit, signedOutShown] }
  const badRedirect = { browser: [errorAt(authorization, 'invalid_redirect_uri')] }
  const override: Configuration['override'] = {
    'oidcc-prompt-login': { browser: [signInShown] },
    'oidcc-max-age-1': { browser: [signInShown] },
    'oidcc-ensure-registered-redirect-uri': badRedirect,
    'oidcc-redirect-uri-query-added': badRedirect,
    'oidcc-redirect-uri-query-mismatch': badRedirect,
    'oidcc-ensure-redirect-uri-in-authorization-request': {
      browser: [errorAt(authorization, 'invalid_request')],
    },
    'oidcc-ensure-request-object-with-redirect-uri': { browser: [eitherWay] },
    'oidcc-registration-logo-uri': { browser: [pageShown] },
    'oidcc-registration-policy-uri': { browser: [pageShown] },
    'oidcc-registration-tos-uri': { browser: [pageShown] },
    'oidcc-rp-initiated-logout-bad-post-logout-redirect-uri': logoutError('invalid_request'),
    'oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri':
      logoutError('invalid_request'),
    'oidcc-rp-initiated-logout-modified-id-token-hint': logoutError('invalid_request'),
    'oidcc-rp-initiated-logout-bad-id-token-hint': logoutError('invalid_request'),
    // Without a hint the address is not looked at, and the member is asked.
    'oidcc-rp-initiated-logout-no-id-token-hint': logoutPage,
    'oidcc-rp-initiated-logout-no-params': logoutPage,
    'oidcc-rp-initiated-logout-no-post-logout-redirect-uri': logoutPage,
    'oidcc-rp-initiated-logout-only-state': logoutPage,
  }
  return { browser, override }
}

const aliasIn = (suite: string): string => suite.split('/').at(-1) ?? ''

/** The core flows, each with what the suite calls it. */
const FLOWS = [
  ['basic', 'oidcc-basic-certification-test-plan'],
  ['formpost-basic', 'oidcc-formpost-basic-certification-test-plan'],
  ['implicit', 'oidcc-implicit-certification-test-plan'],
  ['formpost-implicit', 'oidcc-formpost-implicit-certification-test-plan'],
  ['hybrid', 'oidcc-hybrid-certification-test-plan'],
  ['formpost-hybrid', 'oidcc-formpost-hybrid-certification-test-plan'],
] as const

/**
 * Configuration files of the OpenID Foundation's suite for the conformance profile at `issuer`.
 * `suite` is IDP_CONFORMANCE_SUITE, the address in the redirect URIs of the static clients.
 */
export const foundationPlans = ({
  issuer,
  suite,
}: Readonly<{ issuer: string; suite: string }>): readonly Plan[] => {
  const { first, second, post, backchannel } = foundationClients(suite)
  const common = {
    server: {
      discoveryUrl: `${issuer}/.well-known/openid-configuration`,
      login_hint: WHO?.loginId ?? '',
    },
    ...scripts(issuer),
  }
  const known = ({ client_id, client_secret }: typeof first) => ({ client_id, client_secret })
  const fixed = (name: string, client = first): Configuration => ({
    description: `Kenpo ID, ${name}`,
    alias: aliasIn(suite),
    ...common,
    client: known(client),
    client2: known(second),
    client_secret_post: known(post),
  })
  // Without an alias each test instance has an address of its own, and none is in another's way.
  const dynamic = (name: string): Configuration => ({
    description: `Kenpo ID, ${name}`,
    ...common,
    client: { client_name: 'Conformance one' },
    client2: { client_name: 'Conformance two' },
  })
  const both = (
    name: string,
    plan: string,
    variant: Readonly<Record<string, string>>,
    client = first,
  ): readonly Plan[] => [
    {
      name: `${name}-static`,
      plan,
      variant: { ...variant, client_registration: 'static_client' },
      configuration: fixed(`${name}-static`, client),
    },
    {
      name: `${name}-dynamic`,
      plan,
      variant: { ...variant, client_registration: 'dynamic_client' },
      configuration: dynamic(`${name}-dynamic`),
    },
  ]
  const code = { response_type: 'code' }
  return [
    {
      name: 'config',
      plan: 'oidcc-config-certification-test-plan',
      variant: {},
      configuration: fixed('config'),
    },
    ...FLOWS.flatMap(([name, plan]) => both(name, plan, { server_metadata: 'discovery' })),
    {
      name: 'dynamic',
      plan: 'oidcc-dynamic-certification-test-plan',
      variant: code,
      configuration: dynamic('dynamic'),
    },
    {
      name: '3rdparty-init-login',
      plan: 'oidcc-3rdparty-init-login-certification-test-plan',
      variant: code,
      configuration: dynamic('3rdparty-init-login'),
    },
    ...both('rp-initiated-logout', 'oidcc-rp-initiated-logout-certification-test-plan', code),
    ...both(
      'backchannel-logout',
      'oidcc-backchannel-rp-initiated-logout-certification-test-plan',
      code,
      backchannel,
    ),
  ]
}
