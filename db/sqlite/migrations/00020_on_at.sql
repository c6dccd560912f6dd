-- +goose Up

-- When a webhook was switched on again: what it did before says nothing any more.
ALTER TABLE webhooks ADD COLUMN on_at INTEGER NOT NULL DEFAULT 0;
