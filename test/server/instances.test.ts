import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Member, MemberId } from '../../accounts/member.ts'
import { aVisitor } from '../support/agent.ts'
import { A_PASSWORD, aMember } from '../support/builders.ts'
import {
  aDeployment,
  type Deployment,
  freePort,
  type RunningProcess,
} from '../support/deployment.ts'
import { type RoundRobin, startRoundRobin } from '../support/round-robin.ts'
import { aRelyingParty } from '../support/rp.ts'
import { codeIn } from '../support/smtp-sink.ts'

const NEW_PASSWORD = 'Kingyo_no_Hachi-39'

/** Two processes, one store, requests to each in turn (security.md F28). */
describe('Two servers behind a balancer without stickiness', () => {
  let balancer: RoundRobin
  let deployment: Deployment
  let servers: readonly RunningProcess[]
  let member: Member
  beforeAll(async () => {
    balancer = await startRoundRobin()
    deployment = await aDeployment(balancer.port)
    member = aMember({
      id: 'round-robin-1' as MemberId, // a test's own ID
      loginId: '45678-1',
      insured: { symbol: '45678', number: '1' },
      email: { address: 'round-robin@example.jp' },
    })
    await deployment.withStore(({ members }) => members.save(member))
    const ports = [await freePort(), await freePort()]
    const env = { IDP_TRUSTED_PROXY_HOPS: '1' }
    servers = await Promise.all(ports.map((port) => deployment.run({ port, env })))
    balancer.use(ports)
  }, 90_000)
  afterAll(async () => {
    await deployment.close()
    await balancer.close()
  })

  const figures = async (): Promise<string> =>
    (await Promise.all(servers.map((server) => server.probe('/metrics'))))
      .map(({ text }) => text)
      .join('\n')

  /** The sum over both servers of the figures with this name and these labels. */
  const sum = (text: string, start: string, ...labels: readonly string[]): number =>
    text
      .split('\n')
      .filter((line) => line.startsWith(start) && labels.every((label) => line.includes(label)))
      .reduce((total, line) => total + Number(line.split(' ').at(-1)), 0)

  test('a member walks the whole first login, each server answering every other request', async () => {
    const rp = await aRelyingParty(deployment, deployment.client)
    const visitor = aVisitor()
    await visitor.visit(await rp.authorizationUrl())
    await visitor.submit('password', { username: member.loginId, password: 'not the password' })
    await visitor.submit('password', { username: member.loginId, password: A_PASSWORD })
    await visitor.submit('birthdate', { era: 'showa', year: '60', month: '4', day: '1' })
    await visitor.submit('terms', { agree: true })
    await visitor.submit('email', { email: 'round-robin@example.jp' })
    const mail = await deployment.mails.waitFor(({ to }) => to === 'round-robin@example.jp')
    await visitor.submit('email', { code: codeIn(mail) })
    if (visitor.page.heading === 'どこでログインしますか') {
      await visitor.submit('choose-place', { phone: true })
    }
    await visitor.submit('chooseFactor', { factor: 'emailCode' })
    await visitor.submit('newPassword', { password: NEW_PASSWORD })
    await visitor.submit('done')
    expect(visitor.page.heading).toBe('Signed in to the relying party')
    const tokens = await rp.finish(visitor.page.url)
    expect(tokens.claims()?.acr).toBe('urn:kenpo-id:acr:email')
    const served = [...balancer.served.values()]
    expect(served).toHaveLength(2)
    expect(Math.min(...served)).toBeGreaterThan(8)
  })

  test('both sign with the keys that one of them has made', async () => {
    const asked = async () => (await fetch(`${deployment.issuer}/jwks`)).json()
    // One after the other, so each is another server's.
    const first = await asked()
    expect(await asked()).toEqual(first)
    const made = deployment.lines.filter((line) => line.includes('signing_keys_made'))
    expect(made).toHaveLength(1)
    expect(await figures()).toMatch(/idp_keys_age_seconds\{alg="RS256"\} \d/)
  })

  test('their figures tell how it went, and of nobody', async () => {
    const text = await figures()
    expect(sum(text, 'idp_login_total', 'method="password"', 'result="refused"')).toBe(1)
    expect(
      sum(text, 'idp_login_total', 'method="emailCode"', 'result="ok"', 'place="elsewhere"'),
    ).toBe(1)
    for (const step of ['birthdate', 'terms', 'email', 'chooseFactor', 'newPassword', 'done']) {
      const passed = sum(text, 'idp_onboarding_step_total', `step="${step}"`, 'event="passed"')
      expect([step, passed]).toEqual([step, step === 'email' ? 2 : 1])
    }
    expect(sum(text, 'idp_onboarding_step_total', 'step="password"', 'event="refused"')).toBe(1)
    expect(sum(text, 'idp_otp_sent_total', 'channel="email"', 'result="sent"')).toBe(1)
    expect(sum(text, 'idp_token_issued_total', 'grant="authorization_code"')).toBe(1)
    expect(
      sum(text, 'idp_http_request_duration_seconds_count', 'route="/interaction/:uid/:act"'),
    ).toBeGreaterThan(8)
    expect(
      sum(text, 'idp_store_op_duration_seconds_count', 'store="members"', 'op="save"'),
    ).toBeGreaterThan(4)
    for (const name of [
      'idp_mail_queue_depth',
      'idp_mail_send_duration_seconds_count',
      'idp_rate_limited_total',
      'idp_lockout_total',
      'idp_passkey_ceremony_total',
      'idp_password_hashing{state="waiting"}',
      'nodejs_eventloop_lag_p99_seconds',
    ]) {
      expect(text).toContain(name)
    }
    // Without the values: a time in seconds may hold any five digits.
    const series = text.replace(/ \S+$/gmu, '')
    expect(series).toContain('process_start_time_seconds\n')
    for (const personal of [member.id, member.loginId, '45678', 'round-robin@', '127.0.0.1']) {
      expect(series).not.toContain(personal)
    }
  })
})
