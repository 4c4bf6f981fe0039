import { useDeskPass } from '../desk-pass.ts'
import type { StepHandler } from '../step.ts'

/** A member who is stopped, and for whom the society's desk has issued a pass. */
export const deskPass: StepHandler = {
  ...useDeskPass,
  show: async () => ({ view: 'desk-pass', locals: {} }),
}
