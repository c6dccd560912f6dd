-- +goose Up

-- When the next attempt of a delivery was due before an extra one was asked for; else 0.
ALTER TABLE deliveries ADD COLUMN scheduled_at INTEGER NOT NULL DEFAULT 0;

-- The account that the last event of a platform named, as the platform numbers accounts.
ALTER TABLE connections ADD COLUMN named_account TEXT NOT NULL DEFAULT '';

-- Attempts to sign in, to get an access token, and to have a message sent, so that they can be limited.
CREATE TABLE tries (
  key   BLOB    PRIMARY KEY, -- SHA-256 of what, the network and the name
  n     INTEGER NOT NULL,
  since INTEGER NOT NULL -- when the first of them was counted
) STRICT, WITHOUT ROWID;
CREATE INDEX tries_since ON tries (since); -- old ones are deleted
