import Libsql from 'libsql'
import { emailKey } from '../../accounts/email-address.ts'
import {
  DuplicateCredentialError,
  DuplicateLoginIdError,
  StaleMemberError,
} from '../../accounts/errors.ts'
import { loginKey, type Member } from '../../accounts/member.ts'
import type { MemberStore } from '../../accounts/ports.ts'
import type { Database } from './database.ts'

type Row = Readonly<{ document: string }>
/** Members read at once by who goes through a whole society. */
const PAGE = 500

// Only `save` writes the column, and it takes nothing but a Member.
const memberOf = (row: Row) => JSON.parse(row.document) as Member
const found = (row: Row | undefined) => row && memberOf(row)

const isTaken = (error: unknown): boolean =>
  error instanceof Libsql.SqliteError && error.code.startsWith('SQLITE_CONSTRAINT')

/** Members in the embedded file: one JSON document a row, compare-and-set in one statement. */
export const createMemberStore = (db: Database): MemberStore => {
  // The ID's conflict comes first: a second insert of one member, whatever else it breaks, is stale.
  const insert = (member: Member, document: string): boolean =>
    db.run(
      `INSERT INTO members (id, society_id, login_key, revision, document) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (id) DO NOTHING`,
      member.id,
      member.societyId,
      loginKey(member.loginId),
      member.revision + 1,
      document,
    ) === 1

  const update = (member: Member, document: string): boolean =>
    db.run(
      `UPDATE members SET society_id = ?, login_key = ?, revision = revision + 1, document = ?
       WHERE id = ? AND revision = ?`,
      member.societyId,
      loginKey(member.loginId),
      document,
      member.id,
      member.revision,
    ) === 1

  const write = (member: Member, document: string): void => {
    let written: boolean
    try {
      written = member.revision === 0 ? insert(member, document) : update(member, document)
    } catch (error) {
      if (!isTaken(error)) throw error
      throw new DuplicateLoginIdError(member.societyId)
    }
    if (!written) throw new StaleMemberError(member.id)
  }

  /** Beside the document, so that the file itself refuses one passkey under two members. */
  const holdPasskeys = ({ id, credentials }: Member): void => {
    db.run('DELETE FROM passkeys WHERE member_id = ?', id)
    for (const credential of credentials) {
      if (credential.factor !== 'passkey') continue
      try {
        db.run('INSERT INTO passkeys (credential_id, member_id) VALUES (?, ?)', credential.id, id)
      } catch (error) {
        if (!isTaken(error)) throw error
        throw new DuplicateCredentialError(id)
      }
    }
  }

  return {
    findById: async (id) => found(db.get<Row>('SELECT document FROM members WHERE id = ?', id)),

    findByLoginId: async (societyId, loginId) =>
      found(
        db.get<Row>(
          'SELECT document FROM members WHERE society_id = ? AND login_key = ?',
          societyId,
          loginKey(loginId),
        ),
      ),

    findByVerifiedEmail: async (societyId, address) =>
      db
        .all<Row>(
          `SELECT document FROM members WHERE society_id = ? AND verified_email = ?
           ORDER BY login_key`,
          societyId,
          emailKey(address),
        )
        .map(memberOf),

    ofSociety: async function* (societyId) {
      for (let after = ''; ; ) {
        const page = db.all<Row & { login_key: string }>(
          `SELECT document, login_key FROM members WHERE society_id = ? AND login_key > ?
           ORDER BY login_key LIMIT ?`,
          societyId,
          after,
          PAGE,
        )
        for (const row of page) yield memberOf(row)
        const last = page.at(-1)
        if (!last || page.length < PAGE) return
        after = last.login_key
      }
    },

    save: async (member) => {
      const saved: Member = { ...member, revision: member.revision + 1 }
      const document = JSON.stringify(saved)
      db.transaction(() => {
        write(member, document)
        holdPasskeys(member)
      })
      return saved
    },
  }
}
