-- +goose Up

-- Times are unix milliseconds UTC, durations microseconds; 0 means never.
-- Ids are made in Go and ascend with time, so inserts touch the right edge of
-- each tree only, and a list by id is a list by time. A message is the JSON of a
-- webhook.Message, or empty for none.

CREATE TABLE settings (
  key   TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
  id            INTEGER PRIMARY KEY,
  number        INTEGER NOT NULL UNIQUE,
  name          TEXT    NOT NULL,
  time_zone     TEXT    NOT NULL,
  webhook_limit INTEGER NOT NULL,
  revision      INTEGER NOT NULL DEFAULT 0, -- new whenever the account or a webhook of it changes
  created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
  id            INTEGER PRIMARY KEY,
  account_id    INTEGER REFERENCES accounts (id), -- NULL: an admin without an account
  email         TEXT    NOT NULL UNIQUE,
  password_hash TEXT    NOT NULL,
  role          TEXT    NOT NULL,
  created_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX users_account ON users (account_id, id);

CREATE TABLE sessions (
  hash       BLOB    PRIMARY KEY, -- SHA-256 of the id in the cookie
  user_id    INTEGER REFERENCES users (id) ON DELETE CASCADE, -- NULL before login
  data       BLOB    NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE api_tokens (
  id         INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES accounts (id),
  name       TEXT    NOT NULL,
  hash       BLOB    NOT NULL UNIQUE, -- SHA-256 of the token
  created_at INTEGER NOT NULL,
  used_at    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX api_tokens_account ON api_tokens (account_id, id);

-- Clients of the Prioticket-compatible API, and the tokens they exchanged their
-- secret for.
CREATE TABLE clients (
  id         INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES accounts (id),
  name       TEXT    NOT NULL,
  hash       BLOB    NOT NULL, -- SHA-256 of the secret
  created_at INTEGER NOT NULL,
  used_at    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX clients_account ON clients (account_id, id);

CREATE TABLE client_tokens (
  hash       BLOB    PRIMARY KEY, -- SHA-256 of the token
  client_id  INTEGER NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
  scope      TEXT    NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX client_tokens_client ON client_tokens (client_id, expires_at);

-- The booking platforms that an account uses or used.
CREATE TABLE connections (
  account_id  INTEGER NOT NULL REFERENCES accounts (id),
  platform    TEXT    NOT NULL,
  enabled     INTEGER NOT NULL,
  token       TEXT    NOT NULL UNIQUE, -- the last part of the address; operators see it again
  old_token   TEXT    NOT NULL DEFAULT '',
  old_until   INTEGER NOT NULL DEFAULT 0,
  received_at INTEGER NOT NULL DEFAULT 0, -- to ten seconds
  settings    TEXT    NOT NULL DEFAULT '{}', -- JSON: key to value, credentials among them
  PRIMARY KEY (account_id, platform)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX connections_old ON connections (old_token) WHERE old_token <> '';

-- Requests to an address that were rejected because they could not be read.
CREATE TABLE rejected_requests (
  id           INTEGER PRIMARY KEY,
  account_id   INTEGER NOT NULL REFERENCES accounts (id),
  platform     TEXT    NOT NULL,
  method       TEXT    NOT NULL,
  query        TEXT    NOT NULL,
  content_type TEXT    NOT NULL,
  body         BLOB, -- its beginning
  truncated    INTEGER NOT NULL,
  status       INTEGER NOT NULL, -- how it was answered
  why          TEXT    NOT NULL, -- message
  digest       BLOB    NOT NULL, -- of all of the above: the same request again only counts
  times        INTEGER NOT NULL,
  last_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX rejected_requests_account ON rejected_requests (account_id, id);
CREATE UNIQUE INDEX rejected_requests_digest ON rejected_requests (account_id, digest);

CREATE TABLE channels (
  account_id INTEGER NOT NULL REFERENCES accounts (id),
  id         TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  retired_at INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (account_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE tours (
  account_id INTEGER NOT NULL REFERENCES accounts (id),
  id         TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  retired_at INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (account_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE webhooks (
  id            INTEGER PRIMARY KEY,
  account_id    INTEGER NOT NULL REFERENCES accounts (id),
  kind          TEXT    NOT NULL, -- of the config; it never changes
  config        TEXT    NOT NULL, -- JSON of webhook.Config
  enabled       INTEGER NOT NULL,
  secret        TEXT    NOT NULL,
  old_secret    TEXT    NOT NULL DEFAULT '',
  old_until     INTEGER NOT NULL DEFAULT 0,
  created_at    INTEGER NOT NULL,
  updated_at    INTEGER NOT NULL,
  deleted_at    INTEGER NOT NULL DEFAULT 0, -- 0: not deleted; the log still names a deleted one
  failing_since INTEGER NOT NULL DEFAULT 0,
  failed_at     INTEGER NOT NULL DEFAULT 0, -- the last failure
  off_at        INTEGER NOT NULL DEFAULT 0,
  off_reason    TEXT    NOT NULL DEFAULT '',
  skipped       INTEGER NOT NULL DEFAULT 0 -- events skipped since off_at
) STRICT;
CREATE INDEX webhooks_account ON webhooks (account_id, id);

CREATE TABLE drafts (
  id         INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES accounts (id),
  webhook_id INTEGER REFERENCES webhooks (id), -- the webhook that is edited
  body       TEXT    NOT NULL, -- JSON of webhook.Draft
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX drafts_account ON drafts (account_id, id);

-- Events, deliveries and attempts name their parents without REFERENCES: who
-- inserts has just read them in the same transaction, and a check of each costs
-- a twentieth of the writing.

CREATE TABLE events (
  id          INTEGER PRIMARY KEY,
  account_id  INTEGER NOT NULL,
  external_id TEXT, -- NULL: the sender gave none
  platform    TEXT    NOT NULL,
  type        TEXT    NOT NULL,
  channel_id  TEXT    NOT NULL,
  booking_id  TEXT    NOT NULL,
  tour_ids    TEXT    NOT NULL, -- JSON list
  occurred_at INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  test        INTEGER NOT NULL,
  inbound     INTEGER NOT NULL, -- the platform itself sent it
  note        TEXT    NOT NULL DEFAULT '', -- message: what went wrong before the match
  digest      BLOB    NOT NULL,
  decisions   TEXT    NOT NULL, -- JSON list of webhook.Decision; empty while there is a row of lookups
  data        BLOB, -- the sender's JSON, byte for byte; last, since lists stop before it
  wire        BLOB  -- what the platform sent, where data are not that
) STRICT;
CREATE UNIQUE INDEX events_external ON events (account_id, external_id) WHERE external_id IS NOT NULL;
-- The type never changes; with it a search for one reads the index alone.
CREATE INDEX events_account ON events (account_id, id, type, platform);
CREATE INDEX events_booking ON events (account_id, booking_id, id) WHERE booking_id <> '';

-- Events that wait, unmatched, for what their platform says about the booking.
-- A row is deleted with the match, so that they are few.
CREATE TABLE lookups (
  event_id   INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL,
  platform   TEXT    NOT NULL,
  booking_id TEXT    NOT NULL,
  ask        INTEGER NOT NULL -- 0: it waits only for an earlier event of its booking
) STRICT;
CREATE INDEX lookups_booking ON lookups (account_id, platform, booking_id);

CREATE TABLE deliveries (
  id           INTEGER PRIMARY KEY,
  account_id   INTEGER NOT NULL,
  event_id     INTEGER NOT NULL,
  webhook_id   INTEGER NOT NULL,
  platform     TEXT    NOT NULL,
  type         TEXT    NOT NULL,
  booking_id   TEXT    NOT NULL,
  test         INTEGER NOT NULL,
  inline       INTEGER NOT NULL, -- of an inline webhook: never due
  state        TEXT    NOT NULL,
  attempts     INTEGER NOT NULL, -- made or in flight
  completed    INTEGER NOT NULL, -- number of the last attempt that ended
  base         INTEGER NOT NULL DEFAULT 0, -- attempts that the retry schedule does not count
  next_at      INTEGER NOT NULL, -- next attempt, or the end of the lease while in flight; 0 while held
  held         INTEGER NOT NULL DEFAULT 0, -- pending behind an earlier delivery of its booking
  urgent       INTEGER NOT NULL DEFAULT 0, -- sent before everything that is due: a person waits for it
  blocking     INTEGER NOT NULL DEFAULT 0, -- others of the booking may be held behind this one
  created_at   INTEGER NOT NULL,
  finished_at  INTEGER NOT NULL DEFAULT 0,
  last_status  INTEGER NOT NULL DEFAULT 0,
  last_failure TEXT    NOT NULL DEFAULT '',
  last_us      INTEGER NOT NULL DEFAULT 0
) STRICT;
-- Each index over all deliveries is paid for with a page of its own for every
-- delivery, so there are two: the log of an account and of a webhook, newest first.
-- One by booking would cost a tenth of the throughput with five million rows: the
-- deliveries of an event, and of the events of a booking, are in their decisions.
CREATE INDEX deliveries_account ON deliveries (account_id, id);
CREATE INDEX deliveries_webhook ON deliveries (webhook_id, id);
-- "What has failed, what is waiting?", rare rows among many; what was delivered is
-- not in it. With the webhook, a search for one of many reads the index alone.
CREATE INDEX deliveries_state ON deliveries (account_id, state, id, webhook_id) WHERE state <> 'delivered';
-- The dispatcher, for each webhook: what is due, what of that is urgent, and whether
-- anything is held.
CREATE INDEX deliveries_due ON deliveries (webhook_id, held, urgent, next_at) WHERE state = 'pending';
-- The order of a booking: is anything of it pending, and what is held behind it?
CREATE INDEX deliveries_order ON deliveries (webhook_id, booking_id, held, id) WHERE state = 'pending' AND booking_id <> '';

CREATE TABLE attempts (
  delivery_id      INTEGER NOT NULL,
  number           INTEGER NOT NULL,
  started_at       INTEGER NOT NULL,
  duration_us      INTEGER NOT NULL,
  status           INTEGER NOT NULL, -- 0: no response
  failure          TEXT    NOT NULL,
  error            TEXT    NOT NULL, -- message
  method           TEXT    NOT NULL,
  url              TEXT    NOT NULL,
  remote_addr      TEXT    NOT NULL,
  request_headers  TEXT    NOT NULL, -- JSON
  request_body     BLOB,    -- without the event's data
  data_at          INTEGER NOT NULL, -- the offset of the event's data in it; -1: not in it
  response_headers TEXT    NOT NULL, -- JSON
  response_body    BLOB,
  truncated        INTEGER NOT NULL,
  PRIMARY KEY (delivery_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  id         INTEGER PRIMARY KEY,
  account_id INTEGER REFERENCES accounts (id), -- NULL: of the instance
  actor      TEXT    NOT NULL,
  action     TEXT    NOT NULL,
  subject    TEXT    NOT NULL, -- the id of what it was done to
  args       TEXT    NOT NULL, -- JSON list
  at         INTEGER NOT NULL
) STRICT;
CREATE INDEX audit_account ON audit (account_id, id);

-- How many rows each key of an index has, for the planner. Without these numbers it
-- takes the shortest index and not the one that leaves the fewest rows. They are of
-- a typical database of a million events and as many deliveries, and stay: which
-- plan is the right one does not depend on what is in the tables.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('events', 'events_external', '1000000 10000 1'),
  ('events', 'events_account', '1000000 10000 1 1 1'),
  ('events', 'events_booking', '1000000 10000 4 1'),
  ('lookups', 'lookups_booking', '100 10 5 1'),
  ('deliveries', 'deliveries_account', '1000000 10000 1'),
  ('deliveries', 'deliveries_webhook', '1000000 2000 1'),
  ('deliveries', 'deliveries_state', '30000 300 100 1 1'),
  ('deliveries', 'deliveries_due', '10000 100 50 50 1'),
  ('deliveries', 'deliveries_order', '10000 100 3 2 1');
ANALYZE sqlite_schema; -- reads them
