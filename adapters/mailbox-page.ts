import pug from 'pug'
import type { KeptMail } from './mailbox.ts'

/** One piece of a mail's text: plain, or an address to click. */
type Piece = Readonly<{ text: string; href?: string }>

const piecesOf = ({ text, links }: KeptMail): readonly Piece[] => {
  const pieces: Piece[] = []
  let rest = text
  for (const href of links) {
    const at = rest.indexOf(href)
    pieces.push({ text: rest.slice(0, at) }, { text: href, href })
    rest = rest.slice(at + href.length)
  }
  return [...pieces, { text: rest }]
}

const TIME = new Intl.DateTimeFormat('ja-JP', {
  dateStyle: 'medium',
  timeStyle: 'medium',
  timeZone: 'Asia/Tokyo',
})

const template = pug.compile(`
doctype html
html(lang='ja')
  head
    meta(charset='utf-8')
    meta(name='viewport' content='width=device-width, initial-scale=1')
    title 開発用メールボックス（#{mails.length}通）
    link(rel='stylesheet' href='/mailbox.css')
    script(src='/mailbox.js' defer)
  body(data-newest=newest)
    header
      h1 開発用メールボックス
      p
        | 送られたメールがすべてここに届きます。外へは送信されません。
        span(lang='en')  Every mail sent lands here; nothing leaves this machine.
    main
      if mails.length === 0
        p.empty まだメールはありません。新しいメールが届くと自動で表示されます。
      each mail in mails
        article(aria-labelledby='s-' + mail.id)
          h2(id='s-' + mail.id)= mail.subject
          dl
            div
              dt 宛先
              dd= mail.to.join(', ')
            div
              dt 差出人
              dd= mail.from
            div
              dt 受信
              dd
                time(datetime=mail.iso)= mail.time
          p.text
            each piece in mail.pieces
              if piece.href
                a(href=piece.href rel='noreferrer')= piece.text
              else
                = piece.text
          if mail.hasHtml
            p.html
              a(href='/mails/' + mail.id)
                | HTMLで見る
                span.for （#{mail.subject}）
`)

/** The page with every mail kept, newest first. */
export const renderMailbox = (mails: readonly KeptMail[]): string =>
  template({
    newest: mails[0]?.id ?? '',
    mails: mails.map((mail) => ({
      ...mail,
      hasHtml: mail.html !== '',
      iso: new Date(mail.receivedAt).toISOString(),
      time: TIME.format(mail.receivedAt),
      pieces: piecesOf(mail),
    })),
  })

/** Loads the page again when a new mail has come, so that a reader's place is kept till then. */
export const MAILBOX_SCRIPT = `
setInterval(async () => {
  try {
    const mails = await (await fetch('/api/mails')).json()
    if ((mails[0]?.id ?? '') !== document.body.dataset.newest) location.reload()
  } catch {
    // The server is away; ask again next time.
  }
}, 2000)
`

export const MAILBOX_CSS = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #f2f4f7; color: #1a1d21; font: 16px/1.7 system-ui, sans-serif; }
header, main { max-width: 760px; margin: 0 auto; padding: 16px; }
h1 { margin: 8px 0 0; font-size: 24px; }
header p { margin: 4px 0 0; color: #4a4f57; }
article { margin: 0 0 16px; padding: 16px 20px; background: #fff; border: 1px solid #d5d9df; border-radius: 12px; }
h2 { margin: 0 0 8px; font-size: 18px; }
dl { margin: 0 0 12px; font-size: 14px; color: #4a4f57; }
dl div { display: flex; gap: 8px; }
dt { flex: none; width: 4em; }
dd { margin: 0; overflow-wrap: anywhere; }
.text { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.html { margin: 12px 0 0; font-size: 14px; }
.for { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
a { color: #00539f; text-underline-offset: 3px; }
a:focus-visible { outline: 3px solid #1a1d21; outline-offset: 2px; }
.empty { padding: 32px; text-align: center; background: #fff; border-radius: 12px; }
`
