-- +goose Up

-- When the next attempt of a delivery was due before an extra one was asked for; else 0.
ALTER TABLE deliveries ADD COLUMN scheduled_at BIGINT NOT NULL DEFAULT 0;

-- The account that the last event of a platform named, as the platform numbers accounts.
ALTER TABLE connections ADD COLUMN named_account TEXT COLLATE "C" NOT NULL DEFAULT '';

-- Attempts to sign in, to get an access token, and to have a message sent, so that they can be limited.
CREATE TABLE tries (
  key   BYTEA  PRIMARY KEY, -- SHA-256 of what, the network and the name
  n     BIGINT NOT NULL,
  since BIGINT NOT NULL -- when the first of them was counted
);
CREATE INDEX tries_since ON tries (since); -- old ones are deleted
