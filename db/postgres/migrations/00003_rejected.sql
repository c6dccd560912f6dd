-- +goose Up

-- When the platform last sent a request that was rejected; 0 once one was accepted after it.
ALTER TABLE connections ADD COLUMN rejected_at BIGINT NOT NULL DEFAULT 0;
UPDATE connections SET rejected_at = COALESCE((SELECT MAX(r.last_at) FROM rejected_requests r
  WHERE r.account_id = connections.account_id AND r.platform = connections.platform AND r.last_at >= connections.received_at - 1000), 0);
