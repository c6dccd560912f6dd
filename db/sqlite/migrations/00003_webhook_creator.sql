-- +goose Up

-- Who created a webhook: clients of Prioticket's API expect it of every webhook, and
-- the activity log keeps it for a while only. Of older webhooks it is taken from there:
-- the entry of the same time whose id was made right after the webhook's. Ids count
-- milliseconds from bit 22.
ALTER TABLE webhooks ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
UPDATE webhooks SET created_by = COALESCE((
  SELECT a.actor FROM audit a
  WHERE a.account_id = webhooks.account_id AND a.id > webhooks.id AND a.id < webhooks.id + (60000 << 22)
    AND a.action = 'webhook.created' AND a.at = webhooks.created_at
  ORDER BY a.id LIMIT 1), '');
