package db

import (
	"context"
	"errors"
	"time"

	"bookhook/webhook"
)

const (
	// maxItems is how many items one claim reads: all of them may have to be left out.
	maxItems = 200
	// maxLaterReads is after how many later events of their bookings a claim reads no
	// more items: all accounts wait for the writer meanwhile.
	maxLaterReads = webhook.MaxLaterEvents
	// replayCatchUp is how much of the time in which a replay sent nothing it makes up
	// for: timers fire late, but a pause earns no burst.
	replayCatchUp = 100 * time.Millisecond
)

// bulkClaim claims items of bulk replays for a webhook.
type bulkClaim struct {
	webhook.Claim
	hook  *webhook.Webhook
	bytes int // that the events of more items may have
	reads int // of more items
	later int // later events that may be read
	jobs  []webhook.Job
}

// claimItems claims items of the running replays of a webhook, in the order in which
// the replays were created and in that of their items.
func (s *Store) claimItems(ctx context.Context, tx transaction, c webhook.Claim, w *webhook.Webhook) ([]webhook.Job, error) {
	running, err := list(ctx, tx, scanRunning, `SELECT p.id, p.newest, p.gap, p.next_at FROM replays p
		WHERE p.account_id = $1 AND p.state = 'running' AND p.next_at <= $2
			AND EXISTS (SELECT 1 FROM replay_items i WHERE i.webhook_id = $3 AND i.replay_id = p.id AND i.state = 0)
		ORDER BY p.id`, w.Account, toMillis(c.Now), w.ID)
	if err != nil {
		return nil, err
	}
	b := &bulkClaim{Claim: c, hook: w, bytes: maxClaimBytes, reads: maxItems, later: maxLaterReads}
	for _, p := range running {
		if err := s.claimReplay(ctx, tx, b, p); err != nil {
			return nil, err
		}
	}
	return b.jobs, nil
}

// runningReplay is a replay that is running, and what became of its items in a claim.
type runningReplay struct {
	id            webhook.ReplayID
	newest        bool
	gap           time.Duration // between two requests
	next          time.Time     // when the next one may be sent
	sent, leftOut int
	ended         bool // an item ended
}

func scanRunning(r scanner) (p runningReplay, err error) {
	var gap int64
	err = r.Scan(&p.id, &p.newest, &gap, timeScanner{&p.next})
	p.gap = time.Duration(gap) * time.Millisecond
	return p, err
}

// full reports whether no more items of the replay are to be claimed now.
func (b *bulkClaim) full(p *runningReplay) bool {
	return len(b.jobs) >= b.Bulk || b.bytes <= 0 || b.reads <= 0 || b.later <= 0 || p.next.After(b.Now)
}

// claimReplay claims items of one replay.
func (s *Store) claimReplay(ctx context.Context, tx transaction, b *bulkClaim, p runningReplay) error {
	if earliest := b.Now.Add(-replayCatchUp); p.next.Before(earliest) {
		p.next = earliest
	}
	for !b.full(&p) {
		n := min(b.Bulk-len(b.jobs), b.reads)
		items, err := list(ctx, tx, scanReplayItem, `SELECT i.delivery_id, i.event_id, i.webhook_id FROM replay_items i
			WHERE i.webhook_id = $1 AND i.replay_id = $2 AND i.state = 0 ORDER BY i.delivery_id LIMIT $3`, b.Webhook, p.id, n)
		if err != nil {
			return err
		}
		for _, item := range items {
			if b.full(&p) {
				break
			}
			if err := s.claimItem(ctx, tx, b, &p, item); err != nil {
				return err
			}
		}
		if len(items) < n {
			break
		}
	}
	_, err := tx.Exec(ctx, `UPDATE replays SET sent = sent + $2, left_out = left_out + $3, next_at = $4 WHERE id = $1`,
		p.id, p.sent, p.leftOut, toMillis(p.next))
	if err != nil || !p.ended {
		return err
	}
	return endReplay(ctx, tx, p.id, b.Now)
}

func scanReplayItem(r scanner) (item webhook.ReplayItem, err error) {
	err = r.Scan(&item.Delivery, &item.Event, &item.Webhook)
	return item, err
}

// claimItem claims the delivery of an item, or ends the item: its delivery is in flight,
// or is to be left out.
func (s *Store) claimItem(ctx context.Context, tx transaction, b *bulkClaim, p *runningReplay, item webhook.ReplayItem) error {
	b.reads--
	d, e, err := s.itemDelivery(ctx, tx, b, p, &item)
	switch {
	case err != nil && !errors.Is(err, webhook.ErrNotFound):
		return err
	case err != nil, d.Inline, d.State != webhook.Pending && mayBeInFlight(d, b.Now):
		p.leftOut, p.ended = p.leftOut+1, true
		return setItem(ctx, tx, p.id, item.Delivery, itemEnded)
	}
	if p.sent++; p.gap > 0 {
		p.next = p.next.Add(p.gap)
	}
	if d.InFlight(b.Now) {
		p.ended = true
		return setItem(ctx, tx, p.id, d.ID, itemEnded)
	}
	if d, err = claimReplayed(ctx, tx, d, p.id, b); err != nil {
		return err
	}
	if !d.Held {
		b.jobs = append(b.jobs, webhook.Job{Delivery: d, Event: e, Bulk: true})
	}
	return setItem(ctx, tx, p.id, d.ID, itemClaimed)
}

func setItem(ctx context.Context, tx transaction, replay webhook.ReplayID, delivery webhook.DeliveryID, state int) error {
	_, err := tx.Exec(ctx, `UPDATE replay_items SET state = $3 WHERE replay_id = $1 AND delivery_id = $2`, replay, delivery, state)
	return err
}

// itemDelivery finds the delivery of an item and its event, or creates the delivery if
// there is none. It returns webhook.ErrNotFound for an item that is to be left out.
func (s *Store) itemDelivery(ctx context.Context, tx transaction, b *bulkClaim, p *runningReplay, item *webhook.ReplayItem) (d webhook.Delivery, e webhook.Event, err error) {
	row, err := scanEvent(queryRow(ctx, tx, `SELECT `+eventColumns+` FROM events WHERE account_id = $1 AND id = $2`, b.hook.Account, item.Event))
	switch {
	case err != nil:
		return d, e, err
	case row.Lookup:
		return d, e, webhook.ErrNotFound
	}
	b.bytes -= len(row.Data)
	if id := webhook.DeliveryTo(row.Decisions, b.Webhook); id != 0 && id != item.Delivery { // it was sent meanwhile: an event has one delivery for a webhook
		if err := moveItem(ctx, tx, p.id, item, id); err != nil {
			return d, e, err
		}
	}
	d, err = findDelivery(ctx, tx, b.hook.Account, item.Delivery)
	gone := errors.Is(err, webhook.ErrNotFound)
	if err != nil && !gone {
		return d, e, err
	}
	if p.newest {
		late, read, err := overtaken(ctx, tx, row.Event, b.Webhook, d.State != webhook.Pending)
		b.later -= read
		if err == nil && late {
			err = webhook.ErrNotFound
		}
		if err != nil {
			return d, e, err
		}
	}
	if gone && !row.Test {
		d, err = s.sendSkipped(ctx, tx, row, b.hook, item.Delivery, b.Now)
	}
	return d, row.Event, err
}

// moveItem gives an item to another delivery, unless that has one in the replay: then
// it returns webhook.ErrNotFound.
func moveItem(ctx context.Context, tx transaction, replay webhook.ReplayID, item *webhook.ReplayItem, to webhook.DeliveryID) error {
	n, err := tx.Exec(ctx, `UPDATE replay_items SET delivery_id = $3 WHERE replay_id = $1 AND delivery_id = $2
		AND NOT EXISTS (SELECT 1 FROM replay_items i WHERE i.replay_id = $1 AND i.delivery_id = $3)`, replay, item.Delivery, to)
	if err == nil && n == 0 {
		err = webhook.ErrNotFound
	}
	if err == nil {
		item.Delivery = to
	}
	return err
}

// claimReplayed claims a delivery for a replay, unless it has to wait for an earlier one
// of its booking. One that waits for its next attempt gets an extra one, as with
// RetryNow.
func claimReplayed(ctx context.Context, tx transaction, d webhook.Delivery, p webhook.ReplayID, b *bulkClaim) (webhook.Delivery, error) {
	var err error
	if d.Held { // it stays so
		err = endItem(ctx, tx, d.Replay, d.ID, b.Now)
	} else {
		d, err = replay(ctx, tx, d, b.hook, b.Now)
	}
	if err != nil {
		return d, err
	}
	if !d.Held {
		d.Attempts, d.NextAt = d.Attempts+1, b.Lease
	}
	return scanDelivery(queryRow(ctx, tx, `UPDATE deliveries SET replay_id = $2, attempts = $3, next_at = $4, urgent = 0
		WHERE id = $1 RETURNING `+deliveryColumns, d.ID, p, d.Attempts, toMillis(d.NextAt)))
}
