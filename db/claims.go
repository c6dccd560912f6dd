package db

import (
	"cmp"
	"context"
	"slices"
	"time"

	"bookhook/db/group"
	"bookhook/webhook"
)

// RecoverClaims makes every claimed delivery of accounts in these shards due at once,
// urgent if it was: whoever held them before has ended, or lost them. It also finishes the
// deletion of webhooks. It returns webhook.ErrNotHeld if this process does not hold all of
// the shards. Call it before the dispatcher sends anything of them.
func (s *Store) RecoverClaims(ctx context.Context, shards webhook.ShardSet, now time.Time) error {
	err := s.write(ctx, func(tx transaction) error {
		if s.engine.Held()&shards != shards {
			return webhook.ErrNotHeld
		}
		_, err := tx.Exec(ctx, `UPDATE deliveries SET next_at = $1
			WHERE state = 'pending' AND held = 0 AND attempts > completed AND next_at > $1 AND inline = 0 AND `+inShards("account_id", "$2"), toMillis(now), int64(shards))
		return err
	})
	if err != nil {
		return err
	}
	deleted, err := list(ctx, s.engine, scanWebhookID, `SELECT w.id FROM webhooks w WHERE w.deleted_at > 0 AND `+inShards("w.account_id", "$1")+` AND (
		EXISTS (SELECT 1 FROM deliveries d WHERE d.webhook_id = w.id AND d.state = 'pending')
		OR EXISTS (SELECT 1 FROM replays r JOIN replay_items i ON i.webhook_id = w.id AND i.replay_id = r.id AND i.state = 0
			WHERE r.account_id = w.account_id AND r.state = 'running'))`, int64(shards))
	if err != nil {
		return err
	}
	for _, id := range deleted {
		if _, err := s.cancelAll(ctx, id, now); err != nil {
			return err
		}
	}
	return nil
}

// Due returns, for every asynchronous webhook of accounts in these shards that is on and
// has pending deliveries or items of a bulk replay, when the earliest of them are due, and its
// circuit; the end of a lease counts. It also returns those without any of which attempts
// have failed. Of one that is off, only urgent tests do. All earlier writes have ended
// by then, also those of which it was not known whether they were stored: their groups
// came before one of its own.
func (s *Store) Due(ctx context.Context, shards webhook.ShardSet) (map[webhook.WebhookID]webhook.Due, error) {
	type due struct {
		id webhook.WebhookID
		webhook.Due
	}
	if err := s.write(ctx, func(transaction) error { return nil }); err != nil {
		return nil, err
	}
	scan := func(r scanner) (d due, err error) {
		var c webhook.Circuit
		d.Due, err = scanNextDue(r, append(circuitScanners(&c), &d.id)...)
		d.Circuit = c
		return d, err
	}
	rows, err := list(ctx, s.engine, scan, `SELECT `+circuitColumns+`, w.id, `+nextDue+` FROM webhooks w
		WHERE w.enabled = 1 AND w.deleted_at = 0 AND w.kind = 'async' AND `+inShards("w.account_id", "$1"), int64(shards))
	if err != nil {
		return nil, err
	}
	tests, err := list(ctx, s.engine, func(r scanner) (d due, err error) {
		err = r.Scan(&d.id, &d.Account, timeScanner{&d.At})
		d.Urgent = d.At
		return d, err
	}, `SELECT w.id, w.account_id, `+nextTest+` FROM webhooks w WHERE w.enabled = 0 AND w.deleted_at = 0 AND w.kind = 'async' AND `+inShards("w.account_id", "$1"), int64(shards))
	if err != nil {
		return nil, err
	}
	dues := map[webhook.WebhookID]webhook.Due{}
	for _, d := range append(rows, tests...) {
		if !d.At.IsZero() || !d.Bulk.IsZero() || d.Circuit.Failures > 0 {
			dues[d.id] = d.Due
		}
	}
	return dues, nil
}

// nextDue selects the account of a webhook w; when its next urgent delivery is due, its
// next other one, and the next item of a bulk replay, 0 for none; whether one is held;
// and whether w keeps the order. Each is one step into an index, but for the replays of
// the account that are running.
const nextDue = `w.account_id,
	COALESCE((SELECT MIN(d.next_at) FROM deliveries d WHERE d.webhook_id = w.id AND d.state = 'pending' AND d.held = 0 AND d.urgent = 1), 0),
	COALESCE((SELECT MIN(d.next_at) FROM deliveries d WHERE d.webhook_id = w.id AND d.state = 'pending' AND d.held = 0 AND d.urgent = 0), 0),
	COALESCE((SELECT MIN(p.next_at) FROM replays p WHERE p.account_id = w.account_id AND p.state = 'running'
		AND EXISTS (SELECT 1 FROM replay_items i WHERE i.webhook_id = w.id AND i.replay_id = p.id AND i.state = 0)), 0),
	EXISTS (SELECT 1 FROM deliveries d WHERE d.webhook_id = w.id AND d.state = 'pending' AND d.held = 1), w.config ->> 'ordered'`

// nextTest selects when the next urgent test of a webhook w is due; 0 for none.
const nextTest = `COALESCE((SELECT MIN(d.next_at) FROM deliveries d
	WHERE d.webhook_id = w.id AND d.state = 'pending' AND d.held = 0 AND d.urgent = 1 AND d.test = 1), 0)`

// scanNextDue scans nextDue after other columns. Held deliveries of a webhook that no
// longer keeps the order are overdue.
func scanNextDue(r scanner, before ...any) (due webhook.Due, err error) {
	var held, ordered bool
	err = r.Scan(append(before, &due.Account, timeScanner{&due.Urgent}, timeScanner{&due.At}, timeScanner{&due.Bulk}, &held, &ordered)...)
	switch {
	case err != nil:
		return webhook.Due{}, err
	case held && !ordered:
		due.At = time.Unix(0, 0).UTC()
	case due.At.IsZero() || !due.Urgent.IsZero() && due.Urgent.Before(due.At):
		due.At = due.Urgent
	}
	return due, nil
}

// Claim claims up to c.N due deliveries of a webhook, urgent ones first, of which there
// may be c.Urgent more, and then the longest due, or if c.Newest the last due: it
// increments their attempts and sets their next time to c.Lease. If none is due after that, it claims up to c.Bulk
// deliveries of bulk replays. It returns them in the order they were created, and when
// the next ones are due, the end of a lease included. It claims fewer if their events
// have more than maxClaimBytes, for a webhook that is off only urgent tests, and nothing
// for one that is deleted or inline. It returns webhook.ErrNotHeld if this process does not
// hold the account. With an error that wraps group.ErrUnknown, it returns what may be claimed
// all the same.
//
// It runs alongside other writes, but not for the same webhook. What they may do in between:
// no write that is not alone changes a webhook's settings; a delivery is claimed by one
// statement, before or after one that finishes it; what is due after that may have been
// inserted, finished or released meanwhile, of which the dispatcher learns from those writes
// as well. Tests for a webhook that is off, and deliveries of bulk replays, are claimed
// alone.
func (s *Store) Claim(ctx context.Context, c webhook.Claim) (jobs []webhook.Job, due webhook.Due, err error) {
	err = s.writeInTurn(ctx, group.Turn{Alongside: c.Webhook}, func(tx transaction) error {
		jobs, due = nil, webhook.Due{}
		account, err := s.accountOf(ctx, tx, c.Webhook)
		if err != nil || account == 0 {
			return err
		}
		if err := tx.checkHeld(account); err != nil {
			return err
		}
		subscriptions, err := s.current(ctx, tx, account)
		if err != nil {
			return err
		}
		w := subscriptions.Webhook(c.Webhook)
		if w == nil { // it is deleted or inline
			return nil
		}
		if jobs, due, err = s.claimAll(ctx, tx, c, w); err != nil {
			return err
		}
		slices.SortFunc(jobs, func(a, b webhook.Job) int { return cmp.Compare(a.Delivery.ID, b.Delivery.ID) })
		for i := range jobs {
			jobs[i].Webhook, jobs[i].Account = w, subscriptions.Account
		}
		return nil
	})
	if err != nil {
		jobs, err = whatMayBe(jobs, err)
		return jobs, webhook.Due{}, err
	}
	return jobs, due, nil
}

// accountOf returns the account of a webhook, which never changes; 0 if there is none.
func (s *Store) accountOf(ctx context.Context, tx transaction, id webhook.WebhookID) (account webhook.AccountID, err error) {
	if account = s.accounts[id]; account != 0 {
		return account, nil
	}
	if err := queryRow(ctx, tx, `SELECT account_id FROM webhooks WHERE id = $1`, id).scanOptional(&account); err != nil || account == 0 {
		return 0, err
	}
	if len(s.accounts) >= maxCached {
		clear(s.accounts)
	}
	s.accounts[id] = account
	return account, nil
}

// claimAll is Claim for a webhook that is not deleted.
func (s *Store) claimAll(ctx context.Context, tx transaction, c webhook.Claim, w *webhook.Webhook) (jobs []webhook.Job, due webhook.Due, err error) {
	if !w.Enabled {
		tx.Alone()
		return claimTests(ctx, tx, c)
	}
	if !w.Ordered {
		if err := releaseHeld(ctx, tx, w.ID, c.N, c.Now); err != nil {
			return nil, due, err
		}
	}
	if jobs, err = claimJobs(ctx, tx, c); err != nil {
		return nil, due, err
	}
	next := func() (err error) {
		due, err = scanNextDue(queryRow(ctx, tx, `SELECT `+nextDue+` FROM webhooks w WHERE w.id = $1`, w.ID))
		return err
	}
	if err := next(); err != nil || c.Bulk == 0 || due.Bulk.IsZero() || !due.At.IsZero() && !due.At.After(c.Now) {
		return jobs, due, err
	}
	if tx.Alone() { // the webhook may have been switched off or deleted meanwhile
		subscriptions, err := s.current(ctx, tx, w.Account)
		if err != nil {
			return nil, due, err
		}
		if w = subscriptions.Webhook(w.ID); w == nil || !w.Enabled {
			return jobs, due, nil
		}
	}
	items, err := s.claimItems(ctx, tx, c, w)
	if err != nil {
		return nil, due, err
	}
	return append(jobs, items...), due, next()
}

// maxClaimBytes is how much data the events of one claim have, but for the last one.
const maxClaimBytes = 8 << 20

// claimTests claims urgent tests for a webhook that is off: a passed one is a reason to
// switch it on.
func claimTests(ctx context.Context, tx transaction, c webhook.Claim) (jobs []webhook.Job, due webhook.Due, err error) {
	tests, err := list(ctx, tx, scanDelivery, `UPDATE deliveries SET attempts = attempts + 1, next_at = $3 WHERE id IN (
		SELECT id FROM deliveries WHERE webhook_id = $1 AND state = 'pending' AND held = 0 AND urgent = 1 AND next_at <= $2 AND test = 1
		ORDER BY next_at, id LIMIT $4) RETURNING `+deliveryColumns, c.Webhook, toMillis(c.Now), toMillis(c.Lease), c.N+c.Urgent)
	if err != nil {
		return nil, due, err
	}
	if _, err := addJobs(ctx, tx, &jobs, tests, true); err != nil {
		return nil, due, err
	}
	err = queryRow(ctx, tx, `SELECT `+nextTest+` FROM webhooks w WHERE w.id = $1`, c.Webhook).Scan(timeScanner{&due.At})
	due.Urgent = due.At
	return jobs, due, err
}

// claimJobs claims urgent deliveries first and then, up to c.N, others that are due.
func claimJobs(ctx context.Context, tx transaction, c webhook.Claim) (jobs []webhook.Job, err error) {
	left, n := maxClaimBytes, c.N+c.Urgent
	for _, urgent := range []bool{true, false} {
		c.N = n
		claimed, err := claim(ctx, tx, c, urgent, left)
		if err != nil {
			return nil, err
		}
		size, err := addJobs(ctx, tx, &jobs, claimed, urgent)
		if err != nil {
			return nil, err
		}
		left -= size
		n = min(n-c.Urgent, n-len(claimed))
	}
	return jobs, nil
}

// addJobs adds jobs of claimed deliveries, and returns how much data they have.
func addJobs(ctx context.Context, tx transaction, jobs *[]webhook.Job, claimed []webhook.Delivery, urgent bool) (size int, err error) {
	if len(claimed) == 0 {
		return 0, nil
	}
	ids := make([]webhook.EventID, len(claimed))
	for i, d := range claimed {
		ids[i] = d.Event
	}
	condition, args := anyOf("id", 1, ids)
	events, err := list(ctx, tx, scanSent, `SELECT `+sentColumns+` FROM events WHERE `+condition, args...)
	if err != nil {
		return 0, err
	}
	byID := make(map[webhook.EventID]webhook.Event, len(events))
	for _, e := range events {
		byID[e.ID] = e
	}
	for _, d := range claimed {
		e, found := byID[d.Event]
		if !found {
			return 0, webhook.ErrNotFound
		}
		size += len(e.Data)
		*jobs = append(*jobs, webhook.Job{Delivery: d, Event: e, Urgent: urgent})
	}
	return size, nil
}

// claim claims up to c.N urgent deliveries, or others, as many as have about so many
// bytes of data, and returns them in no order.
func claim(ctx context.Context, tx transaction, c webhook.Claim, urgent bool, bytes int) ([]webhook.Delivery, error) {
	order := "next_at, id"
	if c.Newest {
		order = "next_at DESC, id DESC"
	}
	due := `FROM deliveries d WHERE webhook_id = $1 AND state = 'pending' AND held = 0 AND urgent = $2 AND next_at <= $3 ORDER BY ` + order + ` LIMIT $4`
	n := c.N
	if n*webhook.MaxData > bytes {
		sizes, err := list(ctx, tx, scanInt, `SELECT COALESCE((SELECT length(e.data) FROM events e WHERE e.id = d.event_id), 0) `+due,
			c.Webhook, boolInt(urgent), toMillis(c.Now), n)
		if err != nil {
			return nil, err
		}
		for n = 0; n < len(sizes) && bytes > 0; n++ {
			bytes -= sizes[n]
		}
	}
	if n == 0 {
		return nil, nil
	}
	return list(ctx, tx, scanDelivery, `UPDATE deliveries SET attempts = attempts + 1, next_at = $5 WHERE id IN (SELECT id `+due+`)
		RETURNING `+deliveryColumns, c.Webhook, boolInt(urgent), toMillis(c.Now), n, toMillis(c.Lease))
}

func scanInt(r scanner) (n int, err error) {
	err = r.Scan(&n)
	return n, err
}

// stepRows is how many deliveries one transaction changes if a change could affect
// all of a webhook's: it takes some 10 ms, in which all other writes wait.
const stepRows = 1000

// extraAttempt makes the next attempt an extra one, unless it is the first, or repeats one
// that was cut off: if it fails, the retry schedule continues where it was, and the one
// after it is made when this one was due. Otherwise somebody who asks for attempts, or a receiver that fails now and then,
// would use up the schedule in minutes, or put off the next attempt by hours.
const extraAttempt = `base = CASE WHEN ` + isExtra + ` THEN base + 1 ELSE base END,
	scheduled_at = CASE WHEN ` + isExtra + ` THEN next_at ELSE scheduled_at END`

const isExtra = `attempts > base AND attempts = completed AND scheduled_at = 0`

// RetryNow makes the deliveries of a webhook that wait for their next attempt due
// at now, but not those in flight or held. That attempt is an extra one. Every stepRows
// deliveries are one transaction; after an error some are due and the others keep their
// time. Whether this process holds the account does not matter: nothing is claimed.
func (s *Store) RetryNow(ctx context.Context, id webhook.WebhookID, now time.Time) error {
	_, err := s.inSteps(ctx, `UPDATE deliveries SET next_at = $2, `+extraAttempt+` WHERE id IN (
		SELECT id FROM deliveries WHERE webhook_id = $1 AND state = 'pending' AND held = 0 AND urgent = 0 AND next_at > $2
			AND attempts = completed ORDER BY next_at LIMIT $3)`, id, toMillis(now), stepRows)
	return err
}

// inSteps repeats a change, each time in a transaction of its own, until it has no
// more rows to change, and returns how many it changed. The statement changes at
// most stepRows rows, and none twice.
func (s *Store) inSteps(ctx context.Context, change string, args ...any) (changed int64, err error) {
	for {
		var n int64
		err := s.write(ctx, func(tx transaction) (err error) {
			n, err = tx.Exec(ctx, change, args...)
			return err
		})
		if err != nil {
			return changed, err
		}
		if changed += n; n < stepRows {
			return changed, nil
		}
	}
}

// Release undoes the claim of a delivery until lease: the attempt with this number was not
// made and does not count, and the delivery is due at now unless it was cancelled meanwhile.
// It does nothing if the delivery was replayed or claimed again in the meantime, maybe with
// the same number, after a Release of which nobody learned. It returns webhook.ErrNotHeld if
// this process does not hold the account.
func (s *Store) Release(ctx context.Context, delivery webhook.DeliveryID, number int, lease, now time.Time) error {
	return s.write(ctx, func(tx transaction) error {
		var account webhook.AccountID
		err := queryRow(ctx, tx, `UPDATE deliveries SET attempts = attempts - 1, next_at = $3
			WHERE id = $1 AND attempts = $2 AND base < $2 AND completed < $2 AND `+plainState+` IN ('pending', 'cancelled')
				AND (next_at = $4 OR next_at <= $3) RETURNING account_id`, // RecoverClaims makes it due
			delivery, number, toMillis(now), toMillis(lease)).scanOptional(&account)
		if err != nil || account == 0 {
			return err
		}
		return tx.checkHeld(account)
	})
}
