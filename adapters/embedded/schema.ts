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
]
