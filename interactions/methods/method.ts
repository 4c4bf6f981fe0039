import type { Fields, Form } from '../form.ts'
import type { Act, Attempt, AttemptTold, Page, SaveFlow, StepContext, StepResult } from '../step.ts'

/** How a factor is asked for on our pages, at a challenge. */
export type Verification = Readonly<{
  fields: Fields
  /** See `StepHandler`. */
  attempt?(told: AttemptTold): Attempt | undefined
  prepare?(context: StepContext, save: SaveFlow): Promise<boolean>
  /** Safe to repeat. */
  show(context: StepContext): Promise<Page>
  submit(context: StepContext, form: Form): Promise<StepResult>
  acts?: Readonly<Record<string, Act>>
}>

/** How a factor is registered on our pages. Its success also proves it: `registered` makes the result. */
export type Registration = Readonly<{
  fields: Fields
  show(context: StepContext): Promise<Page>
  submit(context: StepContext, form: Form): Promise<StepResult>
  acts?: Readonly<Record<string, Act>>
}>

/** The pages of one factor. */
export type Method = Readonly<{ verification: Verification; registration?: Registration }>
