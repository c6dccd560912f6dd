-- +goose Up

-- Lists that people pasted or uploaded to compare them with what was sent, in blocks.
CREATE TABLE uploads (
  id         INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL,
  name       TEXT    NOT NULL, -- of the file; empty if it was pasted
  size       INTEGER NOT NULL DEFAULT 0,
  complete   INTEGER NOT NULL DEFAULT 0,
  created_by TEXT    NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX uploads_account ON uploads (account_id, id);

CREATE TABLE upload_blocks (
  account_id INTEGER NOT NULL,
  upload_id  INTEGER NOT NULL,
  number     INTEGER NOT NULL,
  body       BLOB    NOT NULL,
  PRIMARY KEY (account_id, upload_id, number)
) STRICT;

-- Comparisons. Only those that have finished are shown.
CREATE TABLE reconciliations (
  id          INTEGER PRIMARY KEY,
  account_id  INTEGER NOT NULL,
  webhook_id  INTEGER NOT NULL,
  since       INTEGER NOT NULL, -- of the period; 0: open
  until       INTEGER NOT NULL,
  upload_id   INTEGER NOT NULL, -- it may be gone
  file        TEXT    NOT NULL,
  place       INTEGER NOT NULL, -- of the column in the list
  header      INTEGER NOT NULL,
  counts      TEXT    NOT NULL DEFAULT '{}', -- JSON of webhook.ReconcileCounts
  created_by  TEXT    NOT NULL,
  created_at  INTEGER NOT NULL,
  state       INTEGER NOT NULL DEFAULT 0 -- 0 under way, 1 finished, 2 being deleted
) STRICT;
CREATE INDEX reconciliations_account ON reconciliations (account_id, id);

-- What the receiver holds.
CREATE TABLE reconciliation_held (
  account_id        INTEGER NOT NULL,
  reconciliation_id INTEGER NOT NULL,
  key               TEXT    NOT NULL, -- the same for all spellings
  reference         TEXT    NOT NULL,
  outcome           INTEGER NOT NULL DEFAULT 0, -- 0 not compared yet, 1 sent, 2 skipped, 3 never came in
  booking_id        TEXT    NOT NULL DEFAULT '',
  reason            TEXT    NOT NULL DEFAULT '',
  PRIMARY KEY (account_id, reconciliation_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX reconciliation_held_unsent ON reconciliation_held (account_id, reconciliation_id, key) WHERE outcome >= 2;

-- What was sent and the receiver does not hold, with the newest delivery.
CREATE TABLE reconciliation_lacking (
  account_id        INTEGER NOT NULL,
  reconciliation_id INTEGER NOT NULL,
  booking_id        TEXT    NOT NULL,
  delivery_id       INTEGER NOT NULL,
  PRIMARY KEY (account_id, reconciliation_id, booking_id)
) STRICT, WITHOUT ROWID;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('uploads', 'uploads_account', '100 3 1'),
  ('upload_blocks', 'sqlite_autoindex_upload_blocks_1', '2000 60 20 1'),
  ('reconciliations', 'reconciliations_account', '200 5 1'),
  ('reconciliation_held', 'reconciliation_held', '1000000 50000 10000 1'),
  ('reconciliation_held', 'reconciliation_held_unsent', '10000 500 100 1'),
  ('reconciliation_lacking', 'reconciliation_lacking', '10000 500 100 1');
ANALYZE sqlite_schema;
