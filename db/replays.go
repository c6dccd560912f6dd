package db

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"bookhook/db/group"
	"bookhook/webhook"
)

// A bulk replay is a list of items, from which the claims of each webhook take when
// nothing else of it is due. So circuit, rate and order hold for it, it goes on after
// a restart, and it waits while its webhook is off.

// States of an item.
const (
	itemQueued  = 0
	itemClaimed = 1
	itemEnded   = 2 // its first attempt has ended, or it is left out
)

const replayColumns = `id, account_id, request, state, total, sent, left_out, delivered, failed, created_by, created_at, finished_at`

func scanReplay(r scanner) (p webhook.Replay, err error) {
	err = r.Scan(&p.ID, &p.Account, jsonScanner{&p.Request}, &p.State, &p.Total, &p.Sent, &p.LeftOut, &p.Delivered, &p.Failed,
		&p.Created.By, timeScanner{&p.Created.At}, timeScanner{&p.Finished})
	return p, err
}

// PlanReplay stores a bulk replay that has no items yet and does not run. Its id is
// new. It returns webhook.LimitReached if webhook.MaxReplays of the account run.
func (s *Store) PlanReplay(ctx context.Context, account webhook.AccountID, request webhook.ReplayRequest, change webhook.Change) (webhook.Replay, error) {
	p := webhook.Replay{
		ID: webhook.ReplayID(s.nextID()), Account: account, Request: request, State: webhook.ReplayPlanning,
		Created: webhook.Change{By: change.By, At: roundMillis(change.At)},
	}
	err := s.write(ctx, func(tx transaction) error {
		if err := roomForReplay(ctx, tx, account); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO replays (id, account_id, request, state, newest, gap, next_at, created_by, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $7)`, p.ID, account, toJSON(request), string(p.State), boolInt(!request.All),
			request.Rate.Gap().Milliseconds(), toMillis(change.At), change.By)
		return err
	})
	return p, err
}

// AddReplayItems adds items to a replay that is being planned, and gives those without
// a delivery the id of one. One item for a delivery is enough: others are ignored.
// Items are sent in the order of their deliveries' ids. Call it with some hundred
// items at a time, since other writes wait meanwhile. It returns webhook.ErrNotFound
// if the replay is not being planned.
func (s *Store) AddReplayItems(ctx context.Context, account webhook.AccountID, replay webhook.ReplayID, items []webhook.ReplayItem) error {
	items = slices.Clone(items)
	for i := range items {
		if items[i].Delivery == 0 {
			items[i].Delivery = webhook.DeliveryID(s.nextID())
		}
	}
	return s.writeInTurn(ctx, group.Turn{Later: true}, func(tx transaction) error {
		var planned int
		err := queryRow(ctx, tx, `SELECT 1 FROM replays WHERE account_id = $1 AND id = $2 AND state = 'planning'`, account, replay).Scan(&planned)
		if err != nil {
			return err
		}
		for _, item := range items {
			_, err := tx.Exec(ctx, `INSERT INTO replay_items (replay_id, delivery_id, event_id, webhook_id) VALUES ($1, $2, $3, $4)
				ON CONFLICT (replay_id, delivery_id) DO NOTHING`, replay, item.Delivery, item.Event, item.Webhook)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// roomForReplay returns webhook.LimitReached if no further replay may run.
func roomForReplay(ctx context.Context, tx transaction, account webhook.AccountID) error {
	most := webhook.LimitReached{What: webhook.LimitedReplays, Limit: webhook.MaxReplays}
	return checkRoom(ctx, tx, account, most, `SELECT count(*) FROM replays WHERE account_id = $1 AND state = 'running'`)
}

// StartReplay starts a replay whose items are stored. One without items is done at
// once; those for a webhook that was deleted meanwhile are left out. It returns webhook.ErrNotFound if the replay is not being planned, and
// webhook.LimitReached if webhook.MaxReplays of the account run.
func (s *Store) StartReplay(ctx context.Context, account webhook.AccountID, id webhook.ReplayID, change webhook.Change) (p webhook.Replay, err error) {
	err = s.write(ctx, func(tx transaction) error {
		if err := roomForReplay(ctx, tx, account); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `UPDATE replays SET state = 'running', total = (SELECT count(*) FROM replay_items WHERE replay_id = $2)
			WHERE account_id = $1 AND id = $2 AND state = 'planning'`, account, id)
		switch {
		case err != nil:
			return err
		case n == 0:
			return webhook.ErrNotFound
		}
		if err := endReplay(ctx, tx, id, change.At); err != nil {
			return err
		}
		if p, err = findReplay(ctx, tx, account, id); err != nil {
			return err
		}
		webhooks, err := replayQueue(ctx, tx, account, id)
		if err != nil {
			return err
		}
		for _, w := range webhooks {
			tx.touch(account, w, webhook.TouchDue)
		}
		return s.audit(ctx, tx, webhook.AuditEntry{Account: account, Change: change, Action: "replay.started", Subject: id.String(), Args: []string{strconv.Itoa(p.Total)}})
	})
	if err != nil {
		return p, err
	}
	return s.leaveOutDeleted(ctx, p, change.At)
}

// leaveOutDeleted leaves the webhooks out of a replay that were deleted while it was
// planned, and returns it as it is then. After a crash RecoverClaims does that.
func (s *Store) leaveOutDeleted(ctx context.Context, p webhook.Replay, now time.Time) (webhook.Replay, error) {
	deleted, err := list(ctx, s.engine, scanWebhookID, `SELECT w.id FROM webhooks w WHERE w.account_id = $1 AND w.deleted_at > 0
		AND EXISTS (SELECT 1 FROM replay_items i WHERE i.webhook_id = w.id AND i.replay_id = $2 AND i.state = 0)`, p.Account, p.ID)
	if err != nil || len(deleted) == 0 {
		return p, err
	}
	for _, id := range deleted {
		if err := s.endItems(ctx, id, now); err != nil {
			return p, err
		}
	}
	return findReplay(ctx, s.engine, p.Account, p.ID)
}

// ReplayQueue lists the webhooks to which a replay of an account still has to send.
func (s *Store) ReplayQueue(ctx context.Context, account webhook.AccountID, id webhook.ReplayID) ([]webhook.WebhookID, error) {
	return replayQueue(ctx, s.engine, account, id)
}

func replayQueue(ctx context.Context, q querier, account webhook.AccountID, id webhook.ReplayID) ([]webhook.WebhookID, error) {
	return list(ctx, q, scanWebhookID, `SELECT w.id FROM webhooks w WHERE w.account_id = $1
		AND EXISTS (SELECT 1 FROM replay_items i WHERE i.webhook_id = w.id AND i.replay_id = $2 AND i.state = 0)`, account, id)
}

func scanWebhookID(r scanner) (id webhook.WebhookID, err error) {
	err = r.Scan(&id)
	return id, err
}

// DropReplay deletes a replay that was planned but not started; others are
// webhook.ErrNotFound.
func (s *Store) DropReplay(ctx context.Context, account webhook.AccountID, id webhook.ReplayID) error {
	_, err := s.inSteps(ctx, `DELETE FROM replay_items WHERE replay_id = $1 AND delivery_id IN (
		SELECT i.delivery_id FROM replay_items i JOIN replays r ON r.id = i.replay_id
		WHERE r.account_id = $2 AND r.id = $1 AND r.state = 'planning' ORDER BY i.delivery_id LIMIT $3)`, id, account, stepRows)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx transaction) error {
		n, err := tx.Exec(ctx, `DELETE FROM replays WHERE account_id = $1 AND id = $2 AND state = 'planning'`, account, id)
		if err == nil && n == 0 {
			err = webhook.ErrNotFound
		}
		return err
	})
}

// CancelReplay cancels a replay: what it has not claimed yet is not sent. It returns
// webhook.ErrConflict for one that does not run.
func (s *Store) CancelReplay(ctx context.Context, account webhook.AccountID, id webhook.ReplayID, change webhook.Change) (p webhook.Replay, err error) {
	err = s.write(ctx, func(tx transaction) error {
		if _, err := findReplay(ctx, tx, account, id); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `UPDATE replays SET state = 'cancelled', finished_at = $3 WHERE account_id = $1 AND id = $2 AND state = 'running'`,
			account, id, toMillis(change.At))
		if err != nil {
			return err
		}
		if n == 0 {
			return webhook.ErrConflict
		}
		if p, err = findReplay(ctx, tx, account, id); err != nil {
			return err
		}
		return s.audit(ctx, tx, webhook.AuditEntry{Account: account, Change: change, Action: "replay.cancelled", Subject: id.String()})
	})
	return p, err
}

// BulkReplay finds a bulk replay of an account.
func (s *Store) BulkReplay(ctx context.Context, account webhook.AccountID, id webhook.ReplayID) (webhook.Replay, error) {
	return findReplay(ctx, s.engine, account, id)
}

func findReplay(ctx context.Context, q querier, account webhook.AccountID, id webhook.ReplayID) (webhook.Replay, error) {
	return scanReplay(queryRow(ctx, q, `SELECT `+replayColumns+` FROM replays WHERE account_id = $1 AND id = $2 AND state <> 'planning'`, account, id))
}

// BulkReplays lists the bulk replays of an account, the newest first, those with ids
// below before; 0: from the newest.
func (s *Store) BulkReplays(ctx context.Context, account webhook.AccountID, before webhook.ReplayID, limit int) ([]webhook.Replay, error) {
	return list(ctx, s.engine, scanReplay, `SELECT `+replayColumns+` FROM replays WHERE account_id = $1 AND id < $2 AND state <> 'planning'
		ORDER BY id DESC LIMIT $3`, account, beforeOrNewest(before), limit)
}

// countReplayed records what the result of an attempt means for the bulk replay that
// sent the delivery: its item ends with the first attempt, and a delivery that finished
// counts.
func countReplayed(ctx context.Context, tx transaction, r webhook.Result, now time.Time) error {
	if r.Replay == 0 {
		return nil
	}
	if r.State == webhook.Delivered || r.State == webhook.Failed {
		_, err := tx.Exec(ctx, `UPDATE replays SET delivered = delivered + $2, failed = failed + $3 WHERE id = $1`,
			r.Replay, boolInt(r.State == webhook.Delivered), boolInt(r.State == webhook.Failed))
		if err != nil {
			return err
		}
	}
	return endItem(ctx, tx, r.Replay, r.Delivery, now)
}

// endItem ends an item of a replay, and the replay if it was the last one. Call it when
// its first attempt has ended, or when there will be none.
func endItem(ctx context.Context, tx transaction, replay webhook.ReplayID, delivery webhook.DeliveryID, now time.Time) error {
	if replay == 0 {
		return nil
	}
	n, err := tx.Exec(ctx, `UPDATE replay_items SET state = 2 WHERE replay_id = $1 AND delivery_id = $2 AND state < 2`, replay, delivery)
	if err != nil || n == 0 {
		return err
	}
	return endReplay(ctx, tx, replay, now)
}

// endItems leaves a deleted webhook out of the replays that are running.
func (s *Store) endItems(ctx context.Context, id webhook.WebhookID, now time.Time) error {
	running, err := list(ctx, s.engine, scanReplay, `SELECT `+replayColumns+` FROM replays
		WHERE account_id = (SELECT w.account_id FROM webhooks w WHERE w.id = $1) AND state = 'running'`, id)
	if err != nil {
		return err
	}
	for _, p := range running {
		n, err := s.inSteps(ctx, `UPDATE replay_items SET state = 2 WHERE replay_id = $1 AND delivery_id IN (
			SELECT i.delivery_id FROM replay_items i WHERE i.webhook_id = $2 AND i.replay_id = $1 AND i.state = 0 LIMIT $3)`, p.ID, id, stepRows)
		if err != nil {
			return err
		}
		err = s.write(ctx, func(tx transaction) error {
			if _, err := tx.Exec(ctx, `UPDATE replays SET left_out = left_out + $2 WHERE id = $1`, p.ID, n); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `UPDATE replay_items SET state = 2 WHERE replay_id = $1 AND webhook_id = $2 AND state = 1`, p.ID, id); err != nil {
				return err
			}
			return endReplay(ctx, tx, p.ID, now)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// endReplay ends a replay of which nothing is left to do.
func endReplay(ctx context.Context, tx transaction, id webhook.ReplayID, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE replays SET state = 'done', finished_at = $2 WHERE id = $1 AND state = 'running'
		AND NOT EXISTS (SELECT 1 FROM replay_items i WHERE i.replay_id = $1 AND i.state < 2)`, id, toMillis(now))
	return err
}

// Overtaken reports whether a webhook already got a later event of the same booking:
// sending this one would put its receiver back to an older state. Events are compared
// by their ids, and a booking has at most webhook.MaxLaterEvents later ones that count.
func (s *Store) Overtaken(ctx context.Context, e webhook.Event, w webhook.WebhookID) (bool, error) {
	late, _, err := overtaken(ctx, s.engine, e, w, false)
	return late, err
}

// overtaken is Overtaken, and with waiting also reports true if a later event is about
// to be sent: what is sent now could arrive after it. It also returns how many later
// events it read.
func overtaken(ctx context.Context, q querier, e webhook.Event, w webhook.WebhookID, waiting bool) (late bool, read int, err error) {
	if e.BookingID == "" || e.Test {
		return false, 0, nil
	}
	later, err := list(ctx, q, scanDeliveryTo(w), `SELECT decisions FROM events
		WHERE account_id = $1 AND booking_id = $2 AND booking_id <> '' AND id > $3 AND test = 0 ORDER BY id DESC LIMIT $4`,
		e.Account, e.BookingID, e.ID, webhook.MaxLaterEvents)
	if err != nil {
		return false, 0, err
	}
	for _, id := range later {
		if id == 0 {
			continue
		}
		var got int
		err := queryRow(ctx, q, `SELECT 1 FROM deliveries WHERE id = $1 AND (state = 'delivered' OR $2 = 1 AND state = 'pending')`, id, boolInt(waiting)).scanOptional(&got)
		if err != nil || got != 0 {
			return got != 0, len(later), err
		}
	}
	return false, len(later), nil
}

// scanDeliveryTo scans the decisions of an event for its delivery to a webhook; zero if
// there is none.
func scanDeliveryTo(w webhook.WebhookID) func(scanner) (webhook.DeliveryID, error) {
	sent := decisionTo(w)
	return func(r scanner) (webhook.DeliveryID, error) {
		var text string
		if err := r.Scan(&text); err != nil || !strings.Contains(text, sent) {
			return 0, err
		}
		var decisions []webhook.Decision
		err := jsonScanner{&decisions}.Scan(text)
		return webhook.DeliveryTo(decisions, w), err
	}
}
