package db

import (
	"cmp"
	"context"
	"slices"
	"time"

	"bookhook/db/group"
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

// maxAnnouncedData is up to how many bytes of data the event of a delivery may have that is
// claimed by its id, of which one write claims many.
const maxAnnouncedData = 16 << 10

// announceNew announces a delivery that is new, with data of this size.
func (tx transaction) announceNew(d webhook.Delivery, size int) {
	t := webhook.Touched{Account: d.Account, Webhook: d.Webhook, What: webhook.TouchDue}
	if size <= maxAnnouncedData {
		t.Delivery = d.ID
	}
	tx.others = append(tx.others, t)
}

// ClaimNew claims deliveries that another process has announced as new, as Claim does, all
// by one statement. Those that are not new any more, that are held, that are of a webhook
// that is off, and those of accounts that this process does not hold, are left out. With an
// error that wraps group.ErrUnknown, it returns what may be claimed all the same.
//
// It runs alongside other writes. What they may do in between: as for Claim; a delivery is
// claimed by one statement, here or there.
func (s *Store) ClaimNew(ctx context.Context, announced []webhook.Touched, lease time.Time) (jobs []webhook.Job, err error) {
	err = s.writeInTurn(ctx, group.Turn{Alongside: &announced[0]}, func(tx transaction) error {
		jobs = nil
		var ids []webhook.DeliveryID
		of := map[webhook.AccountID]*webhook.Subscriptions{}
		for _, t := range announced {
			if !tx.holds(t.Account) {
				continue
			}
			if of[t.Account] == nil {
				subscriptions, err := s.current(ctx, tx, t.Account)
				if err != nil {
					return err
				}
				of[t.Account] = subscriptions
			}
			if w := of[t.Account].Webhook(t.Webhook); w != nil && w.Enabled {
				ids = append(ids, t.Delivery)
			}
		}
		if len(ids) == 0 {
			return nil
		}
		condition, args := anyOf("id", 2, ids)
		claimed, err := list(ctx, tx, scanDelivery, `UPDATE deliveries SET attempts = 1, next_at = $1
			WHERE `+condition+` AND attempts = 0 AND `+plainState+` = 'pending' AND held = 0 AND urgent = 0 AND inline = 0 RETURNING `+deliveryColumns,
			append([]any{toMillis(lease)}, args...)...)
		if err != nil {
			return err
		}
		if _, err := addJobs(ctx, tx, &jobs, claimed, false); err != nil {
			return err
		}
		slices.SortFunc(jobs, func(a, b webhook.Job) int { return cmp.Compare(a.Delivery.ID, b.Delivery.ID) })
		for i := range jobs {
			subscriptions := of[jobs[i].Delivery.Account]
			jobs[i].Webhook, jobs[i].Account = subscriptions.Webhook(jobs[i].Delivery.Webhook), subscriptions.Account
		}
		return nil
	})
	return whatMayBe(jobs, err)
}

// announcedToOthers returns what a group of writes touched of accounts that this process
// does not hold.
func (s *Store) announcedToOthers() (others []webhook.Touched) {
	if len(s.announced) == 0 {
		return nil
	}
	held, seen := s.engine.Held(), map[webhook.Touched]bool{}
	for _, t := range s.announced {
		if !held.HasAccount(t.Account) && !seen[t] {
			seen[t] = true // of no account: whoever holds shard 0 sends mail
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
