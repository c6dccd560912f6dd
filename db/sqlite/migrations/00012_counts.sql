-- +goose Up

-- What was counted and is not in the counts of the hours yet: a stats.Log for each group
-- of writes.
CREATE TABLE count_log (
  id      INTEGER PRIMARY KEY,
  entries BLOB    NOT NULL
) STRICT;

-- The attempts of an hour by the clock of the account.
CREATE TABLE attempt_counts (
  account_id INTEGER NOT NULL, -- 0: the whole instance, by UTC
  webhook_id INTEGER NOT NULL, -- 0: all of the account
  hour       INTEGER NOT NULL, -- its start
  counts     BLOB    NOT NULL, -- stats.Counts
  PRIMARY KEY (account_id, webhook_id, hour)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_counts_hour ON attempt_counts (hour); -- for retention

-- The events received in an hour.
CREATE TABLE event_counts (
  account_id INTEGER NOT NULL, -- 0: the whole instance, by UTC
  hour       INTEGER NOT NULL,
  platform   TEXT    NOT NULL,
  channel_id TEXT    NOT NULL, -- empty for the whole instance, too
  events     INTEGER NOT NULL,
  PRIMARY KEY (account_id, hour, platform, channel_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_counts_hour ON event_counts (hour);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('attempt_counts', 'attempt_counts', '1000000 1500 700 1'),
  ('event_counts', 'event_counts', '1000000 7000 10 5 1'),
  ('attempt_counts', 'attempt_counts_hour', '1000000 700 700 3 1'),
  ('event_counts', 'event_counts_hour', '1000000 700 10 5 1');
ANALYZE sqlite_schema;
