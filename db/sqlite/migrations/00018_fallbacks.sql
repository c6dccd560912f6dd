-- +goose Up

-- Where the bookings of a webhook go by e-mail while it fails. The row of a deleted
-- webhook is deleted with it.
CREATE TABLE fallbacks (
  webhook_id   INTEGER PRIMARY KEY REFERENCES webhooks (id),
  account_id   INTEGER NOT NULL REFERENCES accounts (id),
  address      TEXT    NOT NULL,
  guests       INTEGER NOT NULL, -- with guests' names and contact data
  set_by       TEXT    NOT NULL,
  set_at       INTEGER NOT NULL,
  hash         BLOB    UNIQUE, -- SHA-256 of the token in the link that confirms; NULL until that is sent, and afterwards
  link_mail    INTEGER NOT NULL, -- the last message with a link
  expires_at   INTEGER NOT NULL, -- of the link
  confirmed_at INTEGER NOT NULL DEFAULT 0,
  stopped_at   INTEGER NOT NULL DEFAULT 0, -- by who gets the messages
  incident_id  INTEGER NOT NULL DEFAULT 0, -- that messages are about
  since        INTEGER NOT NULL DEFAULT 0, -- what was created from then on is in them
  list_mail    INTEGER NOT NULL DEFAULT 0, -- the last message with a list
  queued_at    INTEGER NOT NULL DEFAULT 0,
  queued_until INTEGER NOT NULL DEFAULT 0, -- it lists what was created before
  listed       INTEGER NOT NULL DEFAULT 0  -- as queued_until, of the last one that was sent
) STRICT;
CREATE UNIQUE INDEX fallbacks_link ON fallbacks (link_mail);
-- The few about which messages were sent.
CREATE INDEX fallbacks_incident ON fallbacks (incident_id) WHERE incident_id <> 0;
CREATE INDEX fallbacks_list ON fallbacks (list_mail) WHERE list_mail <> 0;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('fallbacks', 'fallbacks_link', '1000 1'),
  ('fallbacks', 'fallbacks_incident', '100 2'),
  ('fallbacks', 'fallbacks_list', '1000 1');
ANALYZE sqlite_schema;
