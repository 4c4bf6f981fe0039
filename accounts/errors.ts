/** A broken or expired request, a lost race, a dead dependency: thrown, with a stable code. */
export class IdentityError extends Error {
  readonly code: string
  readonly status: number
  /** For the log only, never for a page. */
  readonly detail: string | undefined

  constructor(code: string, status: number, detail?: string, options?: ErrorOptions) {
    super(code, options)
    this.name = new.target.name
    this.code = code
    this.status = status
    this.detail = detail
  }
}

/** Someone else saved the member first; load it again and apply the change anew. */
export class StaleMemberError extends IdentityError {
  constructor(memberId: string) {
    super('stale_member', 409, `member ${memberId} was saved at a later revision`)
  }
}

/** The society already has a member with this login ID. */
export class DuplicateLoginIdError extends IdentityError {
  constructor(societyId: string) {
    super('duplicate_login_id', 409, `login ID taken in society ${societyId}`)
  }
}

/** Another member holds a passkey of this ID (WebAuthn Level 3 section 7.1, step 26). */
export class DuplicateCredentialError extends IdentityError {
  constructor(memberId: string) {
    super('duplicate_credential', 409, `member ${memberId} brought another member's credential ID`)
  }
}

/** The interaction is unknown, expired, or another browser's. */
export class StaleInteractionError extends IdentityError {
  constructor(detail: string, options?: ErrorOptions) {
    super('session_expired', 400, detail, options)
  }
}

/** A POST that our own pages cannot have made: cross-site, or without this interaction's token. */
export class ForgedRequestError extends IdentityError {
  constructor(detail: string) {
    super('forged_request', 403, detail)
  }
}

/** More work is asked for than this machine has; `retryAfterSeconds` is for the Retry-After header. */
export class OverloadedError extends IdentityError {
  readonly retryAfterSeconds = 2
  constructor(detail: string) {
    super('overloaded', 503, detail)
  }
}

/** A store that this request needs does not answer; `retryAfterSeconds` is for the Retry-After
 * header. Whether a write under way was made is not known. */
export class StoreUnavailableError extends IdentityError {
  readonly retryAfterSeconds = 2
  constructor(detail: string) {
    super('store_unavailable', 503, detail)
  }
}
