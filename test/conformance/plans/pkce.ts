import { authorize, codeOf, redeem, refused, tokenRefused, tokensIn, told } from '../flows.ts'
import type { Module, Plan } from '../module.ts'
import { aClient, clientBy, confidentialClient, members } from '../needs.ts'
import { randomText } from '../relying-party.ts'

const usual = [aClient, members(1)] as const
const without = { code_challenge: undefined, code_challenge_method: undefined }

const s256: Module = {
  id: 'pkce-s256',
  title: ['S256 with the right verifier', 'S256と正しいverifier'],
  section: ['RFC 7636 4'],
  requires: [...usual],
  async run(t) {
    const authorization = await authorize(t)
    tokensIn(t, await redeem(t, authorization, codeOf(t, authorization)))
  },
}

const publicMissing: Module = {
  id: 'pkce-public-missing',
  title: ['A public client without PKCE is refused', 'PKCEのない公開クライアントを断る'],
  section: ['RFC 7636 4.4.1', 'RFC 9700 2.1.1'],
  requires: [clientBy('none'), members(1)],
  async run(t) {
    const authorization = await authorize(t, { by: 'none', params: without })
    refused(t, authorization, ['invalid_request'], { pageWillDo: true })
  },
}

const plain: Module = {
  id: 'pkce-plain',
  title: ['The plain method is refused', 'plain方式を断る'],
  section: ['RFC 9700 2.1.1'],
  requires: [...usual],
  async run(t) {
    const verifier = randomText(32)
    const params = { code_challenge: verifier, code_challenge_method: 'plain' }
    const authorization = await authorize(t, { params })
    const { arrival } = authorization
    const isGiven = arrival.kind === 'back' && arrival.params.has('code')
    t.should(['no code is given', 'コードを渡さない'], !isGiven, 'plain is taken')
    if (!isGiven) refused(t, authorization, ['invalid_request'], { pageWillDo: true })
    // Left out, the method is plain (section 4.3): the trap of a client that forgets it.
    const forgotten = await authorize(t, { params: { code_challenge_method: undefined } })
    t.should(
      ['no code is given where the method is left out', '方式の省略でもコードを渡さない'],
      forgotten.arrival.kind === 'page' || !forgotten.arrival.params.has('code'),
      'plain is taken',
      'RFC 7636 4.3',
    )
  },
}

const wrongVerifier: Module = {
  id: 'pkce-wrong-verifier',
  title: ['A wrong verifier is refused', '違うverifierを断る'],
  section: ['RFC 7636 4.6'],
  requires: [...usual],
  async run(t) {
    const authorization = await authorize(t)
    const answer = await redeem(t, authorization, codeOf(t, authorization), {
      code_verifier: randomText(32),
    })
    tokenRefused(t, answer, 'invalid_grant')
  },
}

const noVerifier: Module = {
  id: 'pkce-no-verifier',
  title: ['A missing verifier is refused', 'verifierのない要求を断る'],
  section: ['RFC 7636 4.6'],
  requires: [...usual],
  async run(t) {
    const authorization = await authorize(t)
    const answer = await redeem(t, authorization, codeOf(t, authorization), {
      code_verifier: undefined,
    })
    tokenRefused(t, answer, 'invalid_grant', ['invalid_request'])
  },
}

const downgrade: Module = {
  id: 'pkce-downgrade',
  title: [
    'A verifier without a challenge before is refused',
    'challengeなしで後からverifierが来たら断る',
  ],
  section: ['RFC 9700 4.8.2', 'RFC 9700 2.1.1'],
  requires: [confidentialClient, members(1)],
  async run(t) {
    const authorization = await authorize(t, { params: without })
    const { arrival } = authorization
    const isGiven = arrival.kind === 'back' && arrival.params.has('code')
    if (!isGiven) {
      // Whoever needs PKCE of everybody cannot be talked down.
      refused(t, authorization, ['invalid_request'], { pageWillDo: true })
      return
    }
    const answer = await redeem(t, authorization, codeOf(t, authorization))
    t.must(
      ['the token request is refused', 'トークン要求が断られる'],
      answer.status === 400 && answer.json?.access_token === undefined,
      told(answer),
    )
  },
}

const badChallenge: Module = {
  id: 'pkce-bad-challenge',
  title: ['A malformed challenge is refused', '形の違うchallengeを断る'],
  section: ['RFC 7636 4.2'],
  requires: [...usual],
  async run(t) {
    for (const challenge of ['short', `${'x'.repeat(42)}!`, 'x'.repeat(129)]) {
      const authorization = await authorize(t, { params: { code_challenge: challenge } })
      refused(t, authorization, ['invalid_request'], { pageWillDo: true })
    }
  },
}

export const pkce: Plan = {
  id: 'pkce',
  title: ['PKCE', 'PKCE'],
  modules: [s256, publicMissing, plain, wrongVerifier, noVerifier, downgrade, badChallenge],
}
