package db

import (
	"context"
	"math"
	"time"

	"bookhook/webhook"
)

// InsertInline stores an event for an inline call: with the decision on every
// inline webhook of the account and, if one matches, its delivery, claimed until
// lease. Such a delivery is sent by the caller or not at all: it is never due, and
// CleanUp marks it as failed.
//
// An event with a known external id is a duplicate: the first decisions and the
// delivery are returned, and nothing is stored. It returns webhook.IDConflict if
// the content is different, or if the first event was not for an inline call, and
// webhook.ErrBusy if too much waits to be written.
func (s *Store) InsertInline(ctx context.Context, account webhook.AccountID, e webhook.Event, now, lease time.Time) (webhook.InlineCall, error) {
	done, err := s.arriving.admit(account, []webhook.PlannedEvent{{Event: e}})
	if err != nil {
		return webhook.InlineCall{}, err
	}
	defer done()
	e.Account, e.ReceivedAt = account, roundMillis(now)
	in := newArrival(e)
	var call webhook.InlineCall
	err = s.write(ctx, func(tx transaction) error {
		subscriptions, err := s.current(ctx, tx, account)
		if err != nil {
			return err
		}
		call, err = s.insertInline(ctx, tx, subscriptions, &in, lease)
		return err
	})
	return call, err
}

func (s *Store) insertInline(ctx context.Context, tx transaction, subscriptions *webhook.Subscriptions, in *arrival, lease time.Time) (webhook.InlineCall, error) {
	in.ID = webhook.EventID(s.nextID())
	call := webhook.InlineCall{Event: in.Event, Decisions: s.withDeliveries(subscriptions.DecideInline(&in.Event))}
	for i, d := range call.Decisions {
		if w := subscriptions.Inline[i]; d.Reason == webhook.Matched {
			call.Job = webhook.Job{Delivery: inlineDelivery(d.Delivery, w, in.Event, lease), Event: in.Event, Webhook: w, Account: subscriptions.Account}
		}
	}
	added, err := insertEvent(ctx, tx, in, decisionsJSON(call.Decisions))
	if err != nil {
		return call, err
	}
	if !added {
		return duplicateInline(ctx, tx, in)
	}
	for _, d := range call.Decisions {
		if d.Reason == webhook.ReasonDisabled {
			if err := countSkipped(ctx, tx, d.Webhook); err != nil {
				return call, err
			}
		}
	}
	if call.Called() {
		_, err = tx.Exec(ctx, insertDelivery, deliveryValues(call.Job.Delivery)...)
	}
	return call, err
}

func inlineDelivery(id webhook.DeliveryID, w *webhook.Webhook, e webhook.Event, lease time.Time) webhook.Delivery {
	d := newDelivery(id, w, e, e.ReceivedAt)
	d.Inline, d.Attempts, d.NextAt = true, 1, roundMillis(lease)
	return d
}

func duplicateInline(ctx context.Context, q querier, in *arrival) (webhook.InlineCall, error) {
	first, err := duplicate(ctx, q, in)
	if err != nil {
		return webhook.InlineCall{}, err
	}
	call := webhook.InlineCall{Event: first.Event, Decisions: first.Decisions, Duplicate: true}
	if first.Event.Lookup {
		return call, webhook.IDConflict{ExternalID: in.ExternalID}
	}
	for _, d := range first.Decisions {
		var kind webhook.Kind
		if err := queryRow(ctx, q, `SELECT kind FROM webhooks WHERE id = $1`, d.Webhook).Scan(&kind); err != nil {
			return call, err
		}
		if kind != webhook.Inline {
			return call, webhook.IDConflict{ExternalID: in.ExternalID}
		}
		if d.Reason == webhook.Matched {
			if call.Job.Delivery, err = findDelivery(ctx, q, in.Account, d.Delivery); err != nil {
				return call, err
			}
		}
	}
	return call, nil
}

// planTime is after how long a replay that was not started is given up.
const planTime = time.Hour

// CleanUp marks the inline calls of dead processes as failed, since nobody waits for their
// answers, and deletes the replays that they were planning: those whose time is over, or
// if alone says that there is no other process, all.
func (s *Store) CleanUp(ctx context.Context, alone bool, now time.Time) error {
	calls, plans := toMillis(now), toMillis(now.Add(-planTime))
	if alone {
		calls, plans = math.MaxInt64, math.MaxInt64
	}
	return s.write(ctx, func(tx transaction) error {
		_, err := tx.Exec(ctx, `UPDATE deliveries SET state = 'failed', finished_at = $1, next_at = 0, last_failure = $2
			WHERE state = 'pending' AND next_at <= $3 AND webhook_id IN (SELECT w.id FROM webhooks w WHERE w.kind = 'inline')`,
			toMillis(now), string(webhook.CutOff), calls)
		if err != nil {
			return err
		}
		_, err = execAll(ctx, tx, []statement{
			{`DELETE FROM replay_items WHERE replay_id IN (SELECT id FROM replays WHERE state = 'planning' AND created_at <= $1)`, []any{plans}},
			{`DELETE FROM replays WHERE state = 'planning' AND created_at <= $1`, []any{plans}},
		})
		return err
	})
}

// CheckChannels returns webhook.Invalid if another inline webhook of the account
// has a channel in common with this one.
func (s *Store) CheckChannels(ctx context.Context, w *webhook.Webhook) error {
	return s.checkChannels(ctx, s.engine, w)
}

func (s *Store) checkChannels(ctx context.Context, q querier, w *webhook.Webhook) error {
	if w.Kind != webhook.Inline {
		return nil
	}
	all, err := s.listWebhooks(ctx, q, w.Account)
	if err != nil {
		return err
	}
	conflict := webhook.FindChannelConflict(w, all)
	if conflict == nil {
		return nil
	}
	name := ""
	err = queryRow(ctx, q, `SELECT name FROM channels WHERE account_id = $1 AND id = $2`, w.Account, conflict.Channel).scanOptional(&name)
	if err != nil {
		return err
	}
	channel := conflict.Channel
	if name != "" {
		channel = name + " (" + conflict.Channel + ")"
	}
	return webhook.Invalid{"channels": conflict.Problem(channel)}
}
