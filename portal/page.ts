import pug from 'pug'
import { type Language, type NoticeId, TEXTS } from './texts.ts'

/** What every page of a front door shows. */
export type Frame = Readonly<{
  language: Language
  name: string
  /** Where the door's own paths start: '' or '/minato'. */
  base: string
  /** The login ID that the login_hint link fills in. */
  loginHint: string
}>

const layout = (main: string) => `
doctype html
html(lang=language)
  head
    meta(charset='utf-8')
    meta(name='viewport' content='width=device-width, initial-scale=1')
    title #{heading} | #{name}
    link(rel='stylesheet' href='/portal.css')
  body(class=base ? 'navi' : undefined)
    a.skip(href='#main')= t.skip
    header
      .bar
        a.brand(href=home)= name
        nav(aria-label=t.language)
          each pair in [['ja', '日本語'], ['en', 'English']]
            if pair[0] === language
              span(aria-current='true')= pair[1]
            else
              a(href=home + '?lang=' + pair[0] lang=pair[0])= pair[1]
    main#main(tabindex='-1')
${main.replaceAll(/^(?=.)/gm, '      ')}
    footer= t.demo
`

const homeTemplate = pug.compile(
  layout(`
if claims
  h1= t.welcome
  .row
    p.lead= t.signedIn
    form(method='post' action=base + '/logout')
      button.button.plain(type='submit')= t.logout
else
  .hero
    h1= name
    p.lead= t.tagline
    a.button(href=base + '/login')= t.login
    p.hint= t.firstTime
h2= t.servicesTitle
ul.cards
  each service in t.services
    li
      b= service.title
      if claims
        span= service.detail
if claims
  details
    summary= t.claimsTitle
    table
      thead
        tr
          th(scope='col')= t.claim
          th(scope='col')= t.value
      tbody
        each claim in claims
          tr
            th(scope='row')= claim.name
            td= claim.value
details
  summary= t.tryTitle
  ul.tries
    each one in tries
      li
        a(href=one.href)= one.text
`),
)

const noticeTemplate = pug.compile(
  layout(`
.notice
  h1= heading
  p.lead= t.notices[notice].text
  if code
    p.hint #{t.code}: #{code}
  .row
    if notice !== 'notFound'
      a.button(href=base + '/login')= notice === 'signedOut' ? t.login : t.retry
    a.button.plain(href=home)= t.top
`),
)

const common = (frame: Frame) => ({
  ...frame,
  home: frame.base || '/',
  t: TEXTS[frame.language],
})

/** The front page; `claims` of the ID token when the member is signed in. */
export const renderHome = (
  frame: Frame,
  claims: Readonly<Record<string, unknown>> | undefined,
): string => {
  const { tries } = TEXTS[frame.language]
  const login = (query: string) => `${frame.base}/login?${query}`
  return homeTemplate({
    ...common(frame),
    heading: claims ? TEXTS[frame.language].welcome : TEXTS[frame.language].login,
    claims:
      claims &&
      Object.entries(claims).map(([name, value]) => ({
        name,
        value: typeof value === 'string' ? value : JSON.stringify(value),
      })),
    tries: [
      { text: tries.promptLogin, href: login('prompt=login') },
      { text: tries.maxAge, href: login('max_age=0') },
      { text: tries.promptNone, href: login('prompt=none') },
      { text: tries.english, href: login('ui_locales=en') },
      { text: tries.hint, href: login(`login_hint=${encodeURIComponent(frame.loginHint)}`) },
    ],
  })
}

/** A page with one message and the ways on; `code` is what the sign-in service reported. */
export const renderNotice = (frame: Frame, notice: NoticeId, code?: string): string =>
  noticeTemplate({
    ...common(frame),
    notice,
    code,
    heading: TEXTS[frame.language].notices[notice].title,
  })
