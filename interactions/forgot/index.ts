import type { Facts } from '../../accounts/enrolment.ts'
import type { Act, FlowPatch, Page, StepContext } from '../step.ts'
import { answerReset, resendReset, showCode } from './code.ts'
import { requestLoginId } from './login-id.ts'
import { replacePassword, showNewPassword } from './replace-password.ts'
import { requestReset } from './request.ts'

const showReset = async (context: StepContext<Facts>): Promise<Page> => {
  const { reset } = context.flow
  const page = reset && (await (reset.proven ? showNewPassword(context) : showCode(context)))
  return page ?? { view: 'forgot-password', locals: {} }
}

/** The page beside the password page that the member is on, if any. */
export const showForgot = async (context: StepContext<Facts>): Promise<Page | undefined> => {
  const { aside, reminded } = context.flow
  if (aside === 'forgotPassword') return showReset(context)
  if (aside !== 'forgotLoginId') return undefined
  return {
    view: 'forgot-id',
    locals: reminded === undefined ? {} : { sentTo: reminded },
  }
}

const goTo = (flow: FlowPatch): Act<Facts> => ({
  fields: {},
  submit: async () => ({
    ok: true,
    flow: {
      reset: undefined,
      reminded: undefined,
      passwordReset: undefined,
      notice: undefined,
      ...flow,
    },
  }),
})

/** Forgotten password (A1, A2) and forgotten user ID (A4), beside the password page. */
export const forgotActs: Readonly<Record<string, Act<Facts>>> = {
  'forgot-password': goTo({ aside: 'forgotPassword' }),
  'forgot-id': goTo({ aside: 'forgotLoginId' }),
  'back-to-sign-in': goTo({ aside: undefined }),
  'reset-request': requestReset,
  'reset-code': answerReset,
  'reset-resend': resendReset,
  'reset-password': replacePassword,
  'id-request': requestLoginId,
}
