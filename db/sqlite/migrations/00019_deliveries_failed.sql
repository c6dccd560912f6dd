-- +goose Up

-- What of a webhook has failed for good since a time, whenever it was created. Few
-- deliveries are in it, and each is written to it once.
CREATE INDEX deliveries_failed ON deliveries (webhook_id, finished_at) WHERE state = 'failed';

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('deliveries', 'deliveries_failed', '20000 200 1');
ANALYZE sqlite_schema;
