package db

import (
	"context"
	"slices"

	"bookhook/webhook"
)

// configs keeps the webhooks of accounts in memory, each under the revision it
// was read at. Ingest compares that with the account's revision in its own
// transaction, one small read instead of parsing every filter for every event;
// whoever changes a webhook, in this process or another, gives the account a
// new revision.
//
// Only the writer's goroutine uses it.
type configs struct {
	byAccount map[webhook.ID]*config
}

// config is an account with its webhooks; nothing in it changes but checked.
type config struct {
	revision  int64
	checked   uint64 // the writer's round in which the revision was looked at last
	account   webhook.Account
	platforms map[string]bool    // those that are on
	webhooks  []*webhook.Webhook // asynchronous ones
	inline    []*webhook.Webhook
}

// maxConfigs bounds the memory: beyond it the cache begins anew.
const maxConfigs = 10_000

// config is for writes. Within one round of the writer only touch gives an
// account another revision, and it forgets the config.
func (s *Store) config(ctx context.Context, tx transaction, account webhook.ID) (*config, error) {
	known, round := s.configs.byAccount[account], tx.Round()
	if known != nil && known.checked == round {
		return known, nil
	}
	var revision int64
	if err := queryRow(ctx, tx, `SELECT revision FROM accounts WHERE id = $1`, account).Scan(&revision); err != nil {
		return nil, err
	}
	if known != nil && known.revision == revision {
		known.checked = round
		return known, nil
	}
	fresh, err := readConfig(ctx, tx, account, revision)
	if err != nil {
		return nil, err
	}
	fresh.checked = round
	s.configs.put(account, fresh)
	return fresh, nil
}

func readConfig(ctx context.Context, q querier, account webhook.ID, revision int64) (*config, error) {
	a, err := scanAccount(queryRow(ctx, q, `SELECT `+accountColumns+` FROM accounts a WHERE a.id = $1`, account))
	if err != nil {
		return nil, err
	}
	c := &config{revision: revision, account: a, platforms: map[string]bool{}}
	used, err := listConnections(ctx, q, account)
	if err != nil {
		return nil, err
	}
	for _, one := range used {
		c.platforms[one.Platform] = one.Enabled
	}
	hooks, err := listWebhooks(ctx, q, account)
	if err != nil {
		return nil, err
	}
	for _, w := range hooks {
		if w.Kind == webhook.Inline {
			c.inline = append(c.inline, w)
		} else {
			c.webhooks = append(c.webhooks, w)
		}
	}
	return c, nil
}

// match is webhook.Match, but of a platform that the account does not use no
// webhook is told.
func (c *config) match(w *webhook.Webhook, e *webhook.Event) webhook.Reason {
	if !c.platforms[e.Platform] {
		return webhook.ReasonPlatformOff
	}
	return webhook.Match(w, e)
}

func (c *configs) put(account webhook.ID, fresh *config) {
	if c.byAccount == nil || len(c.byAccount) >= maxConfigs {
		c.byAccount = map[webhook.ID]*config{}
	}
	c.byAccount[account] = fresh
}

// webhook finds one of the account's webhooks; nil when there is none.
func (c *config) webhook(id webhook.ID) *webhook.Webhook {
	i := slices.IndexFunc(c.webhooks, func(w *webhook.Webhook) bool { return w.ID == id })
	if i < 0 {
		return nil
	}
	return c.webhooks[i]
}

// touch gives an account a new revision; no two are ever the same, so that a
// change which was rolled back cannot be taken for a later one.
func (s *Store) touch(ctx context.Context, tx transaction, account webhook.ID) error {
	delete(s.configs.byAccount, account)
	_, err := tx.Exec(ctx, `UPDATE accounts SET revision = $2 WHERE id = $1`, account, s.newID())
	return err
}
