import Libsql from 'libsql'
import { DuplicateLoginIdError, StaleMemberError } from '../../accounts/errors.ts'
import { loginKey, type Member } from '../../accounts/member.ts'
import type { MemberStore } from '../../accounts/ports.ts'
import type { Database } from './database.ts'

type Row = Readonly<{ document: string }>

// Only `save` writes the column, and it takes nothing but a Member.
const memberOf = (row: Row | undefined) => row && (JSON.parse(row.document) as Member)

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

  return {
    findById: async (id) => memberOf(db.get<Row>('SELECT document FROM members WHERE id = ?', id)),

    findByLoginId: async (societyId, loginId) =>
      memberOf(
        db.get<Row>(
          'SELECT document FROM members WHERE society_id = ? AND login_key = ?',
          societyId,
          loginKey(loginId),
        ),
      ),

    save: async (member) => {
      const saved: Member = { ...member, revision: member.revision + 1 }
      const document = JSON.stringify(saved)
      let written: boolean
      try {
        written = member.revision === 0 ? insert(member, document) : update(member, document)
      } catch (error) {
        if (!isTaken(error)) throw error
        throw new DuplicateLoginIdError(member.societyId)
      }
      if (!written) throw new StaleMemberError(member.id)
      return saved
    },
  }
}
