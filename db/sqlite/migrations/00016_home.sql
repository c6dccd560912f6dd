-- +goose Up

-- Whether a person does not want to see the checklist of the first steps any more.
ALTER TABLE accounts ADD COLUMN checklist_hidden INTEGER NOT NULL DEFAULT 0;

-- Whether a message was ever sent to a person of the account; the outbox is emptied.
ALTER TABLE accounts ADD COLUMN mail_sent INTEGER NOT NULL DEFAULT 0;

-- The webhooks that need attention, of all accounts: rare rows.
CREATE INDEX webhooks_attention ON webhooks (account_id)
  WHERE deleted_at = 0 AND (failing_since <> 0 OR off_reason IN ('gone', 'failing'));
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('webhooks', 'webhooks_attention', '20 2');
ANALYZE sqlite_schema;
