-- +goose Up

-- The Bookhooks that an event came through (webhook.Via), so that its deliveries say
-- so; most events came through none. The column is the last one, behind the data:
-- only who reads the data reads it, too.
ALTER TABLE events ADD COLUMN via TEXT NOT NULL DEFAULT '';
