/** Why a move, a backup or a restoration is not begun, or its file not kept. */
export type StoreRefusal =
  | 'noFile'
  | 'inUse'
  | 'unreachable'
  | 'notDurable'
  | 'targetHoldsData'
  | 'movedAlready'
  | 'fileExists'
  | 'notABackup'
  | 'notReadBack'
  | 'tooNew'

/** It cannot be done as things stand, and nothing was changed. */
export class StoreRefusedError extends Error {
  readonly reason: StoreRefusal
  /** Names of files, collections or settings; no secret. */
  readonly detail: string

  constructor(reason: StoreRefusal, detail = '') {
    super(`${reason}: ${detail}`)
    this.reason = reason
    this.detail = detail
  }
}
