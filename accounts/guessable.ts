import { ZxcvbnFactory } from '@zxcvbn-ts/core'
import { adjacencyGraphs, dictionary as commonWords } from '@zxcvbn-ts/language-common'
import { dictionary as japaneseWords } from '@zxcvbn-ts/language-ja'
import { CONTEXT_WORDS, countUnexpected } from './blocklist.ts'
import { PASSWORD_LENGTH, type PasswordContext } from './password-policy.ts'

/** The lower bound of zxcvbn's score 3, "safely unguessable". The score itself asks for five more,
 * and so would refuse even the best password of eight characters. */
const FEWEST_GUESSES = 1e8

/** `l33tMaxSubstitutions` bounds the most contrived 64 characters: about 60 ms on one core, where
 * the library's own 100 takes 250 ms and comes to the same scores. A usual password takes 5 ms. */
const estimator = new ZxcvbnFactory({
  dictionary: { ...commonWords, ...japaneseWords },
  graphs: adjacencyGraphs,
  maxLength: PASSWORD_LENGTH.longest,
  l33tMaxSubstitutions: 20,
})

/** Whether so few guesses lead to this password, by whoever knows the member. */
export const isGuessable = (password: string, context: PasswordContext): boolean => {
  const mailbox = context.email?.split('@')[0] ?? ''
  const own = [context.loginId, mailbox, ...mailbox.split(/[._+-]/u), ...(context.words ?? [])]
  if (countUnexpected(password, own) < PASSWORD_LENGTH.shortest) return true
  return estimator.check(password, [...own, ...CONTEXT_WORDS]).guesses < FEWEST_GUESSES
}
