-- +goose Up

-- What attempts showed of the receiver before it makes them fail: JSON of
-- webhook.Warnings. It is written when it changes, not with each attempt.
ALTER TABLE webhooks ADD COLUMN warnings TEXT NOT NULL DEFAULT '{}';
