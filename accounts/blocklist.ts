/**
 * Words that anyone who knows the product, the trade or the season tries first (ASVS 5.0 6.1.2):
 * they add nothing to a password. Romanised as members type them; lower case.
 */
export const CONTEXT_WORDS: readonly string[] = [
  // the product and the trade
  ...['kosmo', 'kosmoweb', 'kenpo', 'kempo', 'kenpoid', 'hoken', 'hokensho', 'hokenshou'],
  ...['kenko', 'kenkou', 'kumiai', 'hihokensha', 'shakaihoken', 'iryou', 'iryo', 'byouin', 'byoin'],
  ...['kenshin', 'health', 'insurance', 'hospital', 'medical', 'mynumber', 'mynaportal'],
  // the workplace
  ...['kaisha', 'shain', 'syain', 'kigyou', 'honsha', 'honsya', 'koujou', 'kojo', 'company'],
  ...['office', 'work', 'staff', 'kabushiki', 'kaishain', 'group', 'japan', 'nippon', 'nihon'],
  ...['tokyo', 'osaka', 'nagoya'],
  // signing in
  ...['password', 'passwd', 'pass', 'login', 'logon', 'user', 'admin', 'member', 'portal', 'web'],
  ...['welcome', 'secret', 'himitsu', 'ninshou', 'test', 'temp', 'change', 'first', 'shoki'],
  // the seasons and the eras
  ...['haru', 'natsu', 'aki', 'fuyu', 'sakura', 'spring', 'summer', 'autumn', 'fall', 'winter'],
  ...['reiwa', 'heisei', 'showa', 'taisho', 'meiji'],
]

/** How letters are disguised in passwords. */
const DISGUISES: Readonly<Record<string, string>> = {
  a: '[a4@]',
  e: '[e3]',
  g: '[g9]',
  i: '[i1!]',
  l: '[l1!]',
  o: '[o0]',
  s: '[s5$]',
  t: '[t7+]',
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')

/**
 * The characters of a password an attacker has to find out, where each context word, however its
 * letters are disguised, and each year from 1900 to 2099 count as one: `Hoken#2026a` has four.
 *
 * @param words further context words: the society's, the member's own
 */
export const countUnexpected = (password: string, words: readonly string[] = []): number => {
  const expected = [...CONTEXT_WORDS, ...words.map((word) => word.toLowerCase())]
    .filter((word) => word.length >= 3)
    .sort((a, b) => b.length - a.length)
    .map((word) => [...word].map((letter) => DISGUISES[letter] ?? escaped(letter)).join(''))
  const pattern = new RegExp(`(?:19|20)\\d\\d|${expected.join('|')}`, 'gu')
  return [...password.toLowerCase().replace(pattern, '*')].length
}
