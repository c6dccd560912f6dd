-- +goose Up

-- Bulk replays. The deliveries of one are taken from its items by the claims of their
-- webhooks, after everything else that is due, so that nothing else has to run.
CREATE TABLE replays (
  id          INTEGER PRIMARY KEY,
  account_id  INTEGER NOT NULL,
  request     TEXT    NOT NULL, -- JSON of webhook.ReplayRequest
  state       TEXT    NOT NULL, -- planning while its items are being stored
  newest      INTEGER NOT NULL, -- leaves out what a later event of the booking has overtaken
  gap         INTEGER NOT NULL, -- milliseconds between two requests; 0: no rate
  next_at     INTEGER NOT NULL, -- when the next item may be sent
  total       INTEGER NOT NULL DEFAULT 0,
  sent        INTEGER NOT NULL DEFAULT 0, -- items that were claimed
  left_out    INTEGER NOT NULL DEFAULT 0, -- items that were no longer to be sent when their turn came
  delivered   INTEGER NOT NULL DEFAULT 0,
  failed      INTEGER NOT NULL DEFAULT 0,
  created_by  TEXT    NOT NULL,
  created_at  INTEGER NOT NULL,
  finished_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX replays_account ON replays (account_id, id);
CREATE INDEX replays_running ON replays (account_id, id) WHERE state = 'running';

-- An item may be of a delivery that does not exist yet: its event was skipped.
CREATE TABLE replay_items (
  replay_id   INTEGER NOT NULL,
  delivery_id INTEGER NOT NULL,
  event_id    INTEGER NOT NULL,
  webhook_id  INTEGER NOT NULL,
  state       INTEGER NOT NULL DEFAULT 0, -- 0 queued, 1 claimed, 2 its first attempt has ended, or it is left out
  PRIMARY KEY (replay_id, delivery_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX replay_items_queued ON replay_items (webhook_id, replay_id, delivery_id) WHERE state = 0;
CREATE INDEX replay_items_open ON replay_items (replay_id) WHERE state < 2;

-- The last replay that a delivery was part of; 0 for none, and after a person sent it again.
ALTER TABLE deliveries ADD COLUMN replay_id INTEGER NOT NULL DEFAULT 0;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('replays', 'replays_account', '1000 10 1'),
  ('replays', 'replays_running', '10 2 1'),
  ('replay_items', 'replay_items', '100000 1000 1'),
  ('replay_items', 'replay_items_queued', '10000 1000 500 1'),
  ('replay_items', 'replay_items_open', '10000 1000');
ANALYZE sqlite_schema;
