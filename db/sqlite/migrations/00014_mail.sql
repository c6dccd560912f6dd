-- +goose Up

-- One row for each message to one address. It has no sentence and no secret: those
-- are made when the message is sent.
CREATE TABLE outbox (
  id          INTEGER PRIMARY KEY,
  account_id  INTEGER, -- NULL: of the instance, or not known until it is sent
  user_id     INTEGER, -- NULL: for nobody who can sign in, or not known until it is sent
  recipient   TEXT    NOT NULL,
  kind        TEXT    NOT NULL,
  args        TEXT    NOT NULL, -- JSON
  state       TEXT    NOT NULL, -- waiting, sent or failed
  attempts    INTEGER NOT NULL DEFAULT 0,
  next_at     INTEGER NOT NULL, -- while it is being sent, when that counts as cut off
  problem     TEXT    NOT NULL DEFAULT '', -- JSON of webhook.Message; of the last attempt
  created_at  INTEGER NOT NULL,
  finished_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX outbox_account ON outbox (account_id, id);
CREATE INDEX outbox_due ON outbox (next_at) WHERE state = 'waiting';

-- People who have been invited and have not chosen a password yet.
CREATE TABLE invitations (
  id         INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES accounts (id),
  email      TEXT    NOT NULL,
  role       TEXT    NOT NULL,
  hash       BLOB    UNIQUE, -- SHA-256 of the token in the link; NULL until that is sent
  mail_id    INTEGER NOT NULL UNIQUE, -- of the last message with a link
  created_by TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  UNIQUE (account_id, email)
) STRICT;

-- Links with which people choose a new password.
CREATE TABLE password_resets (
  hash       BLOB    PRIMARY KEY, -- SHA-256 of the token in the link
  user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX password_resets_user ON password_resets (user_id);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('outbox', 'outbox_account', '10000 100 1'),
  ('outbox', 'outbox_due', '100 1');
ANALYZE sqlite_schema;
