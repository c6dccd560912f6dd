-- +goose Up

-- The circuit of each webhook, which a restart goes on with and every page shows.
-- circuit_resets counts the changes of the webhook that reset it.
ALTER TABLE webhooks ADD COLUMN circuit_failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhooks ADD COLUMN circuit_pauses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhooks ADD COLUMN circuit_opened_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhooks ADD COLUMN circuit_probe_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhooks ADD COLUMN circuit_resets INTEGER NOT NULL DEFAULT 0;
