-- +goose Up

-- What is or was wrong, so that people are notified once.
CREATE TABLE incidents (
  id         INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL, -- 0: of the instance
  kind       TEXT    NOT NULL,
  subject    TEXT    NOT NULL, -- the id of a webhook, or a platform; empty of the instance
  stage      INTEGER NOT NULL,
  details    TEXT    NOT NULL, -- JSON of incidents.Details
  opened_at  INTEGER NOT NULL,
  cleared_at INTEGER NOT NULL DEFAULT 0, -- since when it seems to be over
  closed_at  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX incidents_open ON incidents (account_id, kind, subject) WHERE closed_at = 0;
CREATE INDEX incidents_account ON incidents (account_id, id);
CREATE INDEX incidents_closed ON incidents (closed_at);

-- What people want to be told, for those who have chosen.
CREATE TABLE notice_settings (
  user_id     INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  mail        INTEGER NOT NULL,
  muted       TEXT    NOT NULL, -- JSON list of kinds
  quiet_from  INTEGER NOT NULL, -- hours of the day; equal: none
  quiet_until INTEGER NOT NULL
) STRICT;

-- From when on an account is notified that a webhook is failing, if it has chosen.
CREATE TABLE notice_limits (
  account_id INTEGER PRIMARY KEY REFERENCES accounts (id),
  after_ms   INTEGER NOT NULL,
  waiting    INTEGER NOT NULL
) STRICT;

-- The few webhooks that something may be wrong with, among all.
CREATE INDEX webhooks_troubled ON webhooks (id) WHERE failing_since <> 0 OR off_reason <> '' OR warnings <> '{}';
CREATE INDEX rejected_requests_last ON rejected_requests (last_at);
-- How many messages somebody got lately.
CREATE INDEX outbox_user ON outbox (user_id, id) WHERE user_id IS NOT NULL;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('incidents', 'incidents_open', '100 10 1 1'),
  ('incidents', 'incidents_account', '10000 100 1'),
  ('incidents', 'incidents_closed', '10000 2'),
  ('webhooks', 'webhooks_troubled', '100 1'),
  ('outbox', 'outbox_user', '10000 50 1');
ANALYZE sqlite_schema;
