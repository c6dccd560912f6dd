package db

import (
	"context"
	"slices"

	"bookhook/webhook"
)

// Several processes can serve a database of PostgreSQL, each the accounts whose shards it
// holds. Here is what that means for statements: those on the deliveries of an account are
// fenced (checkHeld), and what a write changes for accounts that this process does not hold
// is announced (endGroup). On SQLite one process holds everything for ever.

// Lease renews what this process holds, gives shards back that it no longer needs, and
// takes free ones up to its fair share. Only one call may run at a time.
func (s *Store) Lease(ctx context.Context, r webhook.LeaseRequest) (webhook.Lease, error) {
	lease, err := s.engine.Lease(ctx, r)
	return lease, unavailable(s.engine, err)
}

// Replicas lists the processes that serve the database, with what each holds; none on
// SQLite. Dead ones are among them until somebody deletes their rows.
func (s *Store) Replicas(ctx context.Context) ([]webhook.Replica, error) {
	all, err := s.engine.Replicas(ctx)
	return all, unavailable(s.engine, err)
}

// Listen reports what other processes announce to the functions of Watch and WatchOutbox,
// until ctx ends. When something may have been missed, it reports webhook.TouchUnknown.
func (s *Store) Listen(ctx context.Context) {
	s.engine.Listen(ctx, func(touched []webhook.Touched) {
		if slices.ContainsFunc(touched, func(t webhook.Touched) bool { return t.What == webhook.TouchMail || t.What == webhook.TouchUnknown }) {
			s.queued()
		}
		s.touched(touched)
	})
}

// holds reports whether this process holds the account until the transaction has ended.
func (tx transaction) holds(account webhook.AccountID) bool {
	return tx.engine.Held().HasAccount(account)
}

// checkHeld returns webhook.ErrNotHeld if this process does not hold the account.
func (tx transaction) checkHeld(account webhook.AccountID) error {
	if !tx.holds(account) {
		return webhook.ErrNotHeld
	}
	return nil
}

// announce records what other processes have to know, should they hold the account.
func (tx transaction) announce(account webhook.AccountID, id webhook.WebhookID, what webhook.Touch) {
	tx.others = append(tx.others, webhook.Touched{Account: account, Webhook: id, What: what})
}

// announcedToOthers returns what a group of writes touched of accounts that this process
// does not hold.
func (s *Store) announcedToOthers() (others []webhook.Touched) {
	if len(s.announced) == 0 {
		return nil
	}
	held := s.engine.Held()
	for _, t := range s.announced {
		if !held.HasAccount(t.Account) && !slices.Contains(others, t) { // of no account: whoever holds shard 0 sends mail
			others = append(others, t)
		}
	}
	return others
}

// inShards returns the condition that the account of a row is in one of the shards, a
// webhook.ShardSet, that are the argument.
func inShards(account, argument string) string {
	return `(CAST(1 AS BIGINT) << CAST(` + account + ` % 61 AS INTEGER)) & ` + argument + ` <> 0`
}
