-- +goose Up

-- What of the tables a process may keep in memory does not change with every write: changes
-- counts the groups of writes in which it does. Versions before this one do not count, so
-- counted is the process that wrote last of those that do.
ALTER TABLE last_writer ADD COLUMN counted BIGINT NOT NULL DEFAULT 0;
ALTER TABLE last_writer ADD COLUMN changes BIGINT NOT NULL DEFAULT 0;
