import { describe, expect, test } from '@jest/globals'
import { createTransport } from 'nodemailer'
import { maskEmailAddress, parseEmailAddress } from '../../accounts/email-address.ts'

const read = (typed: string): string => {
  const parsed = parseEmailAddress(typed)
  return parsed.ok ? parsed.address : parsed.reason
}
const suggestionFor = (typed: string): string | undefined => {
  const parsed = parseEmailAddress(typed)
  return parsed.ok ? parsed.suggestion : parsed.reason
}

/** The recipients nodemailer would name to the next server, for `{ address }` as our mailer gives it. */
const envelopeOf = async (address: string): Promise<readonly string[]> => {
  const sent = await createTransport({ jsonTransport: true }).sendMail({
    from: 'kenpo@id.example.jp',
    to: { name: '', address },
    subject: 'code',
    text: 'code',
  })
  return sent.envelope.to
}

describe('an address is taken as its owner types it', () => {
  test.each([
    ['hanako@example.jp', 'hanako@example.jp'],
    ['  hanako@example.jp\r\n', 'hanako@example.jp'],
    ['　hanako@example.jp　', 'hanako@example.jp'],
    ['ｈａｎａｋｏ＠ｅｘａｍｐｌｅ．ｊｐ', 'hanako@example.jp'],
    ['hanako＠example.jp', 'hanako@example.jp'],
    ['hanako@example。jp', 'hanako@example.jp'],
    ['Hanako.Yamada@EXAMPLE.Jp', 'Hanako.Yamada@example.jp'],
    ['hanako+kenpo@example.co.jp', 'hanako+kenpo@example.co.jp'],
    ["o'brien_1/2?x=y!#$%&*^`{|}~-@example.jp", "o'brien_1/2?x=y!#$%&*^`{|}~-@example.jp"],
    ['h@x.jp', 'h@x.jp'],
    ['-h-@a-b.example.jp', '-h-@a-b.example.jp'],
    ['hanako@xn--wgv71a.jp', 'hanako@xn--wgv71a.jp'],
    ['hanako@3com.com', 'hanako@3com.com'],
    ['a..b@docomo.ne.jp', 'a..b@docomo.ne.jp'],
    ['abc.@docomo.ne.jp', 'abc.@docomo.ne.jp'],
    ['abc.@ezweb.ne.jp', 'abc.@ezweb.ne.jp'],
    ['a...b..@AU.com', 'a...b..@au.com'],
    [`${'l'.repeat(64)}@example.jp`, `${'l'.repeat(64)}@example.jp`],
    [`h@${'d'.repeat(63)}.jp`, `h@${'d'.repeat(63)}.jp`],
  ])('%j is %s', (typed, address) => {
    expect(read(typed)).toBe(address)
  })

  test('an address of 254 octets fits and one of 255 does not', () => {
    const domain = `${`${'d'.repeat(62)}.`.repeat(3)}jp`
    const longest = `${'l'.repeat(254 - domain.length - 1)}@${domain}`
    expect(longest).toHaveLength(254)
    expect(read(longest)).toBe(longest)
    expect(read(`l${longest}`)).toBe('mail.format')
  })

  test.each(['', ' ', '　', '\r\n\t'])('nothing (%j) is told from something wrong', (typed) => {
    expect(read(typed)).toBe('mail.empty')
  })
})

describe('what is no single plain address is refused', () => {
  test.each([
    ...['hanako', 'hanako@', '@example.jp', '@', 'hanako@example', 'hanako@localhost'],
    ...['hanako@@example.jp', 'hanako@example@example.jp', 'hanako@.jp', 'hanako@example.'],
    ...['hanako@example..jp', 'hanako@-example.jp', 'hanako@example-.jp', 'hanako@exam_ple.jp'],
    ...['.hanako@example.jp', 'hanako.@example.jp', 'hana..ko@example.jp', '.a@docomo.ne.jp'],
    ...['hanako@192.0.2.1', 'hanako@[192.0.2.1]', 'hanako@[IPv6:2001:db8::1]', 'hanako@1.2'],
    ...['hana ko@example.jp', 'hanako@exam ple.jp', 'hanako @example.jp', 'hana　ko@example.jp'],
    ...['花子@example.jp', 'hanako@日本語.jp', 'hanako@example.日本', 'hänako@example.jp'],
    ...['hanako@example.jp.', 'hanako@example.jp/', 'mailto:hanako@example.jp', 'hanako@example.j'],
    ...[`${'l'.repeat(65)}@example.jp`, `h@${'d'.repeat(64)}.jp`, `h@${'a.'.repeat(130)}jp`],
    ...['hanako@example.jp\u0000', 'hana\u200bko@example.jp', 'hanako@exam\u00adple.jp'],
    ...['ｈａｎａｋｏ，ｂ＠ｅｖｉｌ．ｊｐ', '⒜@example.jp', 'hanako@example․jp,b', '⑴@example.jp'],
  ])('%j', (typed) => {
    expect(read(typed)).toBe('mail.format')
  })

  test('text of any length is answered, not pondered', () => {
    for (const junk of [
      'a'.repeat(16_000),
      'a.'.repeat(8000),
      '@'.repeat(16_000),
      'a-'.repeat(8000),
    ]) {
      expect(read(junk)).toBe('mail.format')
      expect(read(`h@${junk}`)).toBe('mail.format')
      expect(read(`${junk}@docomo.ne.jp`)).toBe('mail.format')
    }
  })
})

describe('a mail goes to the one address accepted and to nobody else', () => {
  const TRICKS = [
    // the ways found to send nodemailer elsewhere
    ...['a@x.jp,b@evil.jp', 'a@x.jp, b@evil.jp', 'a@x.jp;b@evil.jp', 'a@x.jp b@evil.jp'],
    ...['group:a@x.jp,b@evil.jp;', 'undisclosed-recipients:;', 'a:b@evil.jp', 'g:a@x.jp;'],
    ...[
      '<b@evil.jp>a@x.jp',
      'a@x.jp<b@evil.jp>',
      '<b@evil.jp>',
      'a <b@evil.jp>',
      '"a@x.jp" <b@evil.jp>',
    ],
    ...['a@x.jp\r\nBcc: b@evil.jp', 'a@x.jp\nBcc: b@evil.jp', 'a@x.jp\rBcc:b@evil.jp'],
    ...[
      'a@x.jp%0d%0aBcc:b@evil.jp',
      'a@x.jp\r\nRCPT TO:<b@evil.jp>',
      'a@x.jp>\r\nRCPT TO:<b@evil.jp',
    ],
    ...['"a@x.jp,b"@evil.jp', '"b@evil.jp a"@x.jp', '"a\\"@x.jp"@evil.jp', '"a"@x.jp', '" "@x.jp'],
    ...['(a@x.jp)b@evil.jp', 'b@evil.jp(a@x.jp)', 'a(c)@x.jp', 'a@(c)x.jp', 'a@x.jp(c'],
    ...['a@x.jp\u0000b@evil.jp', 'a@x.jp\u2028b@evil.jp', 'a@x.jp\u0085b@evil.jp', 'a\tb@evil.jp'],
    ...[
      '@evil.jp:a@x.jp',
      '@evil.jp,@x.jp:a@x.jp',
      'a@x.jp@evil.jp',
      'a\\@x.jp@evil.jp',
      'a\\b@x.jp',
    ],
    ...[
      'a@[evil.jp]',
      'a@x.jp]',
      '[a]@x.jp',
      'a@x.jp=b@evil.jp',
      'a＠x.jp，b＠evil.jp',
      'a@x.jp、b@evil.jp',
    ],
    ...['=?utf-8?q?b=40evil.jp?=@x.jp', '=?utf-8?b?YkBldmlsLmpw?= <a@x.jp>', 'a%b.evil.jp@x.jp'],
    ...['evil.jp!b@x.jp', 'a@x.jp?bcc=b@evil.jp', 'a+b=evil.jp@x.jp', '-oQ/tmp@x.jp', '|cmd@x.jp'],
    ...['a..b@docomo.ne.jp', 'abc.@ezweb.ne.jp', '..@docomo.ne.jp', `${'('.repeat(5000)}a@x.jp`],
  ]
  test.each(TRICKS)('%j', async (typed) => {
    const parsed = parseEmailAddress(typed)
    if (!parsed.ok) {
      expect(parsed.reason).toBe('mail.format')
      return
    }
    const [recipient, ...others] = await envelopeOf(parsed.address)
    expect(others).toEqual([])
    // RFC 5321 quotes what is no dot-atom; the mailbox is the same
    expect(recipient?.replace(/^"(.*)"@/, '$1@')).toBe(parsed.address)
    expect(typed.normalize('NFKC').trim()).toBe(parsed.address)
  })

  test('most of these tricks are refused outright', () => {
    const accepted = TRICKS.filter((typed) => parseEmailAddress(typed).ok)
    expect(accepted).toEqual([
      '=?utf-8?q?b=40evil.jp?=@x.jp',
      'a%b.evil.jp@x.jp',
      'evil.jp!b@x.jp',
      'a+b=evil.jp@x.jp',
      '-oQ/tmp@x.jp',
      '|cmd@x.jp',
      'a..b@docomo.ne.jp',
      'abc.@ezweb.ne.jp',
    ])
  })
})

describe('did you mean …?', () => {
  test.each([
    ...['gmial.com → gmail.com', 'gmai.com → gmail.com', 'gmil.com → gmail.com'],
    ...['gmaill.com → gmail.com', 'gnail.com → gmail.com', 'gmail.co → gmail.com'],
    ...['gmail.con → gmail.com', 'gmail.cm → gmail.com', 'gmail.om → gmail.com'],
    ...['gmail.jp → gmail.com', 'gmail.co.jp → gmail.com', 'gmail.ne.jp → gmail.com'],
    ...['gmial.co.jp → gmail.com', 'gmail.comm → gmail.com', 'docomo.co.jp → docomo.ne.jp'],
    ...['docomo.jp → docomo.ne.jp', 'docomo.com → docomo.ne.jp', 'docomo.ne.jo → docomo.ne.jp'],
    ...['docomo.nejp → docomo.ne.jp', 'docom.ne.jp → docomo.ne.jp'],
    ...['dokomo.ne.jp → docomo.ne.jp', 'docmoo.ne.jp → docomo.ne.jp'],
    ...['docomo.or.jp → docomo.ne.jp', 'ezweb.co.jp → ezweb.ne.jp', 'ezweb.jp → ezweb.ne.jp'],
    ...['ezwab.ne.jp → ezweb.ne.jp', 'au.co.jp → au.com', 'au.ne.jp → au.com'],
    ...['softbank.co.jp → softbank.ne.jp', 'softbank.jp → softbank.ne.jp'],
    ...['sofbank.ne.jp → softbank.ne.jp', 'i.softbank.ne.jp → i.softbank.jp'],
    ...['i.softbank.co.jp → i.softbank.jp', 'i.sotfbank.jp → i.softbank.jp'],
    ...['yahoo.ne.jp → yahoo.co.jp', 'yahoo.jp → yahoo.co.jp', 'yahoo.con → yahoo.co.jp'],
    ...['yaho.co.jp → yahoo.co.jp', 'yahooo.co.jp → yahoo.co.jp', 'yhaoo.co.jp → yahoo.co.jp'],
    ...['yahoo.co.jo → yahoo.co.jp', 'yahoo.cojp → yahoo.co.jp', 'yahoo.com.jp → yahoo.co.jp'],
    ...['iclod.com → icloud.com', 'icould.com → icloud.com', 'icloud.co.jp → icloud.com'],
    ...['icloud.jp → icloud.com', 'icloud.ne.jp → icloud.com', 'icloud.con → icloud.com'],
    ...['hotmial.com → hotmail.com', 'hotmai.com → hotmail.com', 'hotmail.con → hotmail.com'],
    ...['hotmail.jp → hotmail.co.jp', 'hotmal.co.jp → hotmail.co.jp', 'outlok.jp → outlook.jp'],
    ...['outlook.co.jp → outlook.jp', 'outloook.com → outlook.com', 'nifty.co → nifty.com'],
    ...['biglobe.co.jp → biglobe.ne.jp', 'ocn.jp → ocn.ne.jp'],
  ])('%s', (slip) => {
    const [typed, meant] = slip.split(' → ')
    expect(suggestionFor(`Hanako@${typed}`)).toBe(`Hanako@${meant}`)
  })

  test.each([
    ...['docomo.ne.jp', 'ezweb.ne.jp', 'au.com', 'softbank.ne.jp', 'i.softbank.jp', 'gmail.com'],
    ...[
      'ymail.com',
      'mail.com',
      'email.com',
      'yahoo.co.jp',
      'yahoo.com',
      'ymail.ne.jp',
      'icloud.com',
    ],
    ...[
      'me.com',
      'outlook.jp',
      'outlook.com',
      'hotmail.co.jp',
      'hotmail.com',
      'live.jp',
      'nifty.com',
    ],
    ...['t.vodafone.ne.jp', 'd.vodafone.ne.jp', 'ymobile.ne.jp', 'y-mobile.ne.jp', 'ocn.ne.jp'],
    // strangers, some of them near
    ...[
      'example.jp',
      'example.co.jp',
      'acn.ne.jp',
      'ccn.ne.jp',
      'aa.com',
      'ma.com',
      'ne.jp',
      'co.jp',
    ],
    ...['mail.example.com', 'gmail.example.jp', 'constructor.com', '__proto__.jp'],
  ])('nobody at %s is asked', (domain) => {
    expect(suggestionFor(`hanako@${domain}`)).toBe(domain.includes('_') ? 'mail.format' : undefined)
  })

  test('a suggestion is itself an address without a suggestion', () => {
    expect(suggestionFor(suggestionFor('a..b@docomo.co.jp') ?? '')).toBe('mail.format')
    expect(suggestionFor(suggestionFor('hanako@gmial.com') ?? '')).toBeUndefined()
  })
})

describe('an address shown to others keeps its owner out of sight', () => {
  test.each([
    ['hanako@example.jp', 'h•••••@example.jp'],
    ['h@example.jp', 'h•••••@example.jp'],
    ['a-very-long-name-indeed@docomo.ne.jp', 'a•••••@docomo.ne.jp'],
  ])('%s is shown as %s', (address, masked) => {
    expect(maskEmailAddress(address)).toBe(masked)
  })
})
