-- +goose Up

-- When a webhook was switched on again, until an attempt has ended since.
ALTER TABLE webhooks ADD COLUMN on_at INTEGER NOT NULL DEFAULT 0;
