/**
 * The embedded file's versions, oldest first: entry n brings `PRAGMA user_version` from n to n + 1.
 * A released entry is never edited; a change is one more entry. Times are epoch seconds, but
 * `throttle.expire`, whose columns are rate-limiter-flexible's (milliseconds).
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE members (
    id TEXT PRIMARY KEY,
    society_id TEXT NOT NULL,
    login_key TEXT NOT NULL,
    revision INTEGER NOT NULL,
    document TEXT NOT NULL,
    UNIQUE (society_id, login_key)
  ) STRICT;

  CREATE TABLE artifacts (
    model TEXT NOT NULL,
    id TEXT NOT NULL,
    payload TEXT NOT NULL,
    expires_at REAL,
    consumed_at INTEGER,
    grant_id TEXT,
    uid TEXT,
    user_code TEXT,
    PRIMARY KEY (model, id)
  ) STRICT;
  CREATE INDEX artifacts_grant ON artifacts (grant_id) WHERE grant_id IS NOT NULL;
  CREATE INDEX artifacts_uid ON artifacts (model, uid) WHERE uid IS NOT NULL;
  CREATE INDEX artifacts_user_code ON artifacts (model, user_code) WHERE user_code IS NOT NULL;
  CREATE INDEX artifacts_expiry ON artifacts (expires_at) WHERE expires_at IS NOT NULL;

  CREATE TABLE revoked_grants (
    grant_id TEXT PRIMARY KEY,
    expires_at REAL NOT NULL
  ) STRICT;
  CREATE INDEX revoked_grants_expiry ON revoked_grants (expires_at);

  CREATE TABLE transient (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    expires_at REAL NOT NULL
  ) STRICT;
  CREATE INDEX transient_expiry ON transient (expires_at);

  CREATE TABLE throttle (
    key TEXT PRIMARY KEY,
    points INTEGER NOT NULL DEFAULT 0,
    expire INTEGER
  ) STRICT;
  CREATE INDEX throttle_expiry ON throttle (expire);

  CREATE TABLE outbox (
    sequence INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'failed')),
    mail TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    finished_at REAL
  ) STRICT;
  CREATE INDEX outbox_due ON outbox (due_at, sequence) WHERE state = 'queued';
  CREATE INDEX outbox_finished ON outbox (finished_at) WHERE finished_at IS NOT NULL;

  CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT;
  `,
  `
  -- Made of the document, so the two never differ; accounts/email-address.ts, emailKey.
  ALTER TABLE members ADD COLUMN verified_email TEXT GENERATED ALWAYS AS (
    CASE WHEN document ->> '$.email.verifiedAt' IS NOT NULL THEN
      substr(document ->> '$.email.address', 1, instr(document ->> '$.email.address', '@'))
      || lower(substr(document ->> '$.email.address', instr(document ->> '$.email.address', '@') + 1))
    END
  ) VIRTUAL;
  CREATE INDEX members_verified_email ON members (society_id, verified_email)
    WHERE verified_email IS NOT NULL;

  CREATE TABLE audit_events (
    sequence INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    member_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    event TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_events_member ON audit_events (member_id, sequence);
  `,
  `
  CREATE TABLE sign_ins (
    id TEXT PRIMARY KEY,
    member_id TEXT NOT NULL,
    at REAL NOT NULL,
    device TEXT NOT NULL,
    client_id TEXT NOT NULL,
    factors TEXT NOT NULL
  ) STRICT;
  CREATE INDEX sign_ins_member ON sign_ins (member_id, at);
  CREATE INDEX sign_ins_age ON sign_ins (at);

  CREATE TABLE member_devices (
    member_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    used_at REAL NOT NULL,
    PRIMARY KEY (member_id, device_id)
  ) STRICT;
  CREATE INDEX member_devices_age ON member_devices (used_at);

  CREATE TABLE member_sessions (
    uid TEXT PRIMARY KEY,
    member_id TEXT NOT NULL,
    device TEXT NOT NULL,
    since REAL NOT NULL,
    seen_at REAL NOT NULL,
    grant_ids TEXT NOT NULL
  ) STRICT;
  CREATE INDEX member_sessions_member ON member_sessions (member_id, seen_at);
  CREATE INDEX member_sessions_age ON member_sessions (seen_at);
  `,
  `
  CREATE TABLE passkeys (
    credential_id TEXT PRIMARY KEY,
    member_id TEXT NOT NULL
  ) STRICT;
  CREATE INDEX passkeys_member ON passkeys (member_id);
  INSERT INTO passkeys (credential_id, member_id)
    SELECT credential.value ->> '$.id', members.id
    FROM members, json_each(members.document, '$.credentials') AS credential
    WHERE credential.value ->> '$.factor' = 'passkey';
  `,
  `
  ALTER TABLE outbox RENAME COLUMN mail TO item;
  ALTER TABLE outbox ADD COLUMN queue TEXT NOT NULL DEFAULT 'mails';
  DROP INDEX outbox_due;
  CREATE INDEX outbox_due ON outbox (queue, due_at, sequence) WHERE state = 'queued';
  `,
  `
  ALTER TABLE member_sessions ADD COLUMN sids TEXT NOT NULL DEFAULT '{}';
  ALTER TABLE member_sessions ADD COLUMN ends_at REAL NOT NULL DEFAULT 0;
  -- When its end is next looked into; NULL: everybody knows.
  ALTER TABLE member_sessions ADD COLUMN due_at REAL;
  CREATE INDEX member_sessions_due ON member_sessions (due_at) WHERE due_at IS NOT NULL;
  `,
  `
  CREATE TABLE records (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (kind, id)
  ) STRICT;
  `,
  `
  -- IDs are digests from here on, which cannot be made in SQL: what was issued before, codes and
  -- tokens that nobody should read here among it, is over. Members sign in once more.
  DELETE FROM artifacts;
  `,
  `
  CREATE TABLE consents (
    member_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    since REAL NOT NULL,
    updated_at REAL NOT NULL,
    permissions TEXT NOT NULL,
    PRIMARY KEY (member_id, client_id)
  ) STRICT;
  `,
]
