import type { CreateDriver } from './driver.ts'
import { createFormDriver } from './form.ts'
import type { Member, PageRules } from './page-rules.ts'

/** The development pages of oidc-provider: any name and password will do. */
export const BARE_PAGES: PageRules = {
  cancel: 'a[href$="/abort"]',
  rules: [
    {
      asking: 'sign-in',
      on: 'input[name=prompt][value=login]',
      fill: { login: '{username}', password: '{password}' },
      press: 'button[type=submit]',
    },
    {
      asking: 'consent',
      on: 'input[name=prompt][value=consent]',
      press: 'button[type=submit]',
    },
    { asking: 'logout', on: 'button[name=logout][value=yes]', press: 'button[name=logout]' },
  ],
}

export const BARE_MEMBERS: readonly Member[] = [
  { username: 'alice', password: 'of no importance', method: 'password' },
  { username: 'bob', password: 'of no importance', method: 'password' },
]

const create: CreateDriver = (kit) =>
  createFormDriver(
    {
      ...kit,
      pages: kit.pages ?? BARE_PAGES,
      members: kit.members.length > 0 ? kit.members : BARE_MEMBERS.map((member) => ({ ...member })),
    },
    'bare-oidc-provider',
  )
export default create
