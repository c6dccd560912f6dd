package db

import (
	"context"
	"sync"

	"bookhook/webhook"
)

// What matching needs to know about an account is cached, with the revision at
// which it was read. Insert compares that with the account's revision in its own
// transaction: one small read instead of parsing every filter for every event.
// Every change of a webhook, in this process or another, gives the account a new
// revision.

// subscriptionCache keeps the subscriptions of accounts, those of the latest
// revision that was read.
type subscriptionCache struct {
	mu        sync.Mutex
	byAccount map[webhook.AccountID]*webhook.Subscriptions
}

// maxCached is how many accounts are cached; beyond it the cache is reset.
const maxCached = 10_000

func (c *subscriptionCache) get(account webhook.AccountID) *webhook.Subscriptions {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byAccount[account]
}

// put keeps subscriptions, unless later ones are there: somebody slow may have
// read these before a change.
func (c *subscriptionCache) put(s *webhook.Subscriptions) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.byAccount[s.Account.ID]; known != nil && known.Revision > s.Revision {
		return
	}
	if c.byAccount == nil || len(c.byAccount) >= maxCached {
		c.byAccount = map[webhook.AccountID]*webhook.Subscriptions{}
	}
	c.byAccount[s.Account.ID] = s
}

func (c *subscriptionCache) remove(account webhook.AccountID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.byAccount, account)
}

// Subscriptions returns what matching needs to know about an account. It may be
// stale; then Insert and CompleteLookups return webhook.ErrStale, and the next call
// reads it again. Callers share it and must not change it.
func (s *Store) Subscriptions(ctx context.Context, account webhook.AccountID) (*webhook.Subscriptions, error) {
	if known := s.subscriptions.get(account); known != nil {
		return known, nil
	}
	var revision int64 // read first: should the rest be newer, Insert finds the revision stale
	if err := queryRow(ctx, s.engine, `SELECT revision FROM accounts WHERE id = $1`, account).Scan(&revision); err != nil {
		return nil, err
	}
	return s.readSubscriptions(ctx, s.engine, account, revision)
}

func (s *Store) readSubscriptions(ctx context.Context, q querier, account webhook.AccountID, revision int64) (*webhook.Subscriptions, error) {
	a, err := scanAccount(queryRow(ctx, q, `SELECT `+accountColumns+` FROM accounts a WHERE a.id = $1`, account))
	if err != nil {
		return nil, err
	}
	fresh := &webhook.Subscriptions{Revision: revision, Account: a, Platforms: map[string]bool{}}
	connections, err := s.listConnections(ctx, q, account)
	if err != nil {
		return nil, err
	}
	for _, c := range connections {
		fresh.Platforms[c.Platform] = c.Enabled
	}
	webhooks, err := s.listWebhooks(ctx, q, account)
	if err != nil {
		return nil, err
	}
	for _, w := range webhooks {
		if w.Kind == webhook.Inline {
			fresh.Inline = append(fresh.Inline, w)
		} else {
			fresh.Webhooks = append(fresh.Webhooks, w)
		}
	}
	s.subscriptions.put(fresh)
	return fresh, nil
}

// checkedRevision is the revision of an account as it was read in a round of writes.
type checkedRevision struct {
	revision int64
	round    uint64
}

// revision returns an account's revision, for writes. It is cached within a round,
// in which only newRevision changes it.
func (s *Store) revision(ctx context.Context, tx transaction, account webhook.AccountID) (int64, error) {
	if known := s.revisions[account]; known.revision != 0 && known.round == tx.Round() {
		return known.revision, nil
	}
	now := checkedRevision{round: tx.Round()}
	if err := queryRow(ctx, tx, `SELECT revision FROM accounts WHERE id = $1`, account).Scan(&now.revision); err != nil {
		return 0, err
	}
	if len(s.revisions) >= maxCached {
		clear(s.revisions)
	}
	s.revisions[account] = now
	return now.revision, nil
}

// current is Subscriptions for writes: it is never stale.
func (s *Store) current(ctx context.Context, tx transaction, account webhook.AccountID) (*webhook.Subscriptions, error) {
	revision, err := s.revision(ctx, tx, account)
	if err != nil {
		return nil, err
	}
	if known := s.subscriptions.get(account); known != nil && known.Revision == revision {
		return known, nil
	}
	return s.readSubscriptions(ctx, tx, account, revision)
}

// checkRevision returns webhook.ErrStale if subscriptions are out of date.
func (s *Store) checkRevision(ctx context.Context, tx transaction, of *webhook.Subscriptions) error {
	revision, err := s.revision(ctx, tx, of.Account.ID)
	if err != nil {
		return err
	}
	if revision != of.Revision {
		s.subscriptions.remove(of.Account.ID)
		return webhook.ErrStale
	}
	return nil
}

// newRevision gives an account a new revision; no two are ever the same, so that a
// change which was rolled back cannot be taken for a later one.
func (s *Store) newRevision(ctx context.Context, tx transaction, account webhook.AccountID) error {
	delete(s.revisions, account)
	s.subscriptions.remove(account)
	tx.invalidate()
	_, err := tx.Exec(ctx, `UPDATE accounts SET revision = $2 WHERE id = $1`, account, s.nextID())
	return err
}
