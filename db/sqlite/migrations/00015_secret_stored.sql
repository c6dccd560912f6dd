-- +goose Up

-- When a page was given the signing secret of now, to show it once; 0 if only a program
-- got it, or if it is from before this column was there. And who said when that the
-- receiver has it; 0 and empty while nobody has.
ALTER TABLE webhooks ADD COLUMN secret_shown_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhooks ADD COLUMN secret_stored_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhooks ADD COLUMN secret_stored_by TEXT NOT NULL DEFAULT '';
