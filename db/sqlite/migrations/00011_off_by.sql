-- +goose Up

-- Who switched the webhook off; empty while it is on, and for those that were
-- switched off before this column was there.
ALTER TABLE webhooks ADD COLUMN off_by TEXT NOT NULL DEFAULT '';

-- What the webhook missed while it was off last: from when, until when, how many
-- events. Zero if that was nothing.
ALTER TABLE webhooks ADD COLUMN missed_since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhooks ADD COLUMN missed_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhooks ADD COLUMN missed INTEGER NOT NULL DEFAULT 0;
