/** Words a reader may stumble over, with their readings. Compounds stand beside their parts. */
const GLOSSARY: Readonly<Record<string, string>> = {
  健康保険組合: 'けんこうほけんくみあい',
  健康保険: 'けんこうほけん',
  保険証: 'ほけんしょう',
  被保険者: 'ひほけんしゃ',
  組合: 'くみあい',
  資格情報: 'しかくじょうほう',
  生体認証: 'せいたいにんしょう',
  認証方法: 'にんしょうほうほう',
  顔認証: 'かおにんしょう',
  認証: 'にんしょう',
  指紋: 'しもん',
  利用規約: 'りようきやく',
  利用: 'りよう',
  規約: 'きやく',
  生年月日: 'せいねんがっぴ',
  元号: 'げんごう',
  西暦: 'せいれき',
  暦: 'こよみ',
  昭和: 'しょうわ',
  平成: 'へいせい',
  令和: 'れいわ',
  大正: 'たいしょう',
  元年: 'がんねん',
  初期: 'しょき',
  初回: 'しょかい',
  同意: 'どうい',
  確認: 'かくにん',
  有効期限: 'ゆうこうきげん',
  期限: 'きげん',
  有効: 'ゆうこう',
  登録: 'とうろく',
  端末: 'たんまつ',
  設定: 'せってい',
  手続: 'てつづ',
  手順: 'てじゅん',
  入力: 'にゅうりょく',
  表示: 'ひょうじ',
  受信: 'じゅしん',
  送信: 'そうしん',
  許可: 'きょか',
  拒否: 'きょひ',
  迷惑: 'めいわく',
  推測: 'すいそく',
  記号: 'きごう',
  番号: 'ばんごう',
  数字: 'すうじ',
  英数字: 'えいすうじ',
  半角: 'はんかく',
  全角: 'ぜんかく',
  大文字: 'おおもじ',
  小文字: 'こもじ',
  文字: 'もじ',
  桁: 'けた',
  変更: 'へんこう',
  追加: 'ついか',
  保存: 'ほぞん',
  内容: 'ないよう',
  用意: 'ようい',
  確認済: 'かくにんず',
  済: 'す',
  続: 'つづ',
  届: 'とど',
  健保: 'けんぽ',
  電波: 'でんぱ',
  決定: 'けってい',
  自動: 'じどう',
  画面: 'がめん',
  安全: 'あんぜん',
  窓口: 'まどぐち',
  職員: 'しょくいん',
  家族: 'かぞく',
  職場: 'しょくば',
  全文: 'ぜんぶん',
  日時: 'にちじ',
  連絡: 'れんらく',
  混み合: 'こみあ',
  推奨: 'すいしょう',
  必須: 'ひっす',
  機種: 'きしゅ',
  共用: 'きょうよう',
  方法: 'ほうほう',
  本人: 'ほんにん',
  平日: 'へいじつ',
  案内: 'あんない',
  取り消: 'とりけ',
  心当: 'こころあ',
  問い合: 'といあ',
  電話: 'でんわ',
  言葉: 'ことば',
}

const WORDS = new RegExp(
  Object.keys(GLOSSARY)
    .sort((a, b) => b.length - a.length)
    .join('|'),
  'gu',
)

/** A stretch of text; `reading` where it carries furigana. */
export type RubyPart = Readonly<{ text: string; reading?: string }>

/** Splits a text into parts, the longest word of the glossary winning; joined, `text` is the input. */
export const ruby = (text: string): readonly RubyPart[] => {
  const parts: RubyPart[] = []
  let end = 0
  for (const { 0: word, index } of text.matchAll(WORDS)) {
    if (index > end) parts.push({ text: text.slice(end, index) })
    parts.push({ text: word, reading: GLOSSARY[word] ?? '' })
    end = index + word.length
  }
  if (end < text.length) parts.push({ text: text.slice(end) })
  return parts
}
