package db

import (
	"context"
	"fmt"
	"time"

	"bookhook/webhook"
)

// Ask stores an event about which an inline webhook is to be asked: with the
// decision on every inline webhook of the account, and claimed until lease the
// one delivery of the webhook that matches, if one does. Such a delivery is sent
// by whoever made it or not at all: it is never due, and Heal ends it.
//
// An event with an external id that is known is a duplicate: the first decisions
// and the delivery are returned, and nothing is stored. With other content, or
// when nobody was to be asked about it, it is webhook.IDConflict. While too much
// waits to be written it is webhook.ErrBusy.
func (s *Store) Ask(ctx context.Context, account webhook.ID, e webhook.Event, now, lease time.Time) (webhook.Answer, error) {
	leave, err := s.arrive([]webhook.Event{e})
	if err != nil {
		return webhook.Answer{}, err
	}
	defer leave()
	e.Account, e.ReceivedAt = account, roundMillis(now)
	in := newArrival(e)
	var a webhook.Answer
	err = s.write(ctx, func(tx transaction) error {
		c, err := s.config(ctx, tx, account)
		if err != nil {
			return err
		}
		a, err = s.ask(ctx, tx, c, &in, lease)
		return err
	})
	return a, err
}

func (s *Store) ask(ctx context.Context, tx transaction, c *config, in *arrival, lease time.Time) (webhook.Answer, error) {
	in.ID = s.newID()
	a := webhook.Answer{Event: in.Event, Decisions: make([]webhook.Decision, 0, len(c.inline))}
	for _, w := range c.inline {
		d := webhook.Decision{Webhook: w.ID, Reason: c.match(w, &in.Event)}
		if d.Reason == webhook.Matched {
			d.Delivery = s.newID()
			a.Job = webhook.Job{Delivery: askedDelivery(d.Delivery, w, in.Event, lease), Event: in.Event, Webhook: w, Account: c.account}
		}
		a.Decisions = append(a.Decisions, d)
	}
	added, err := insertEvent(ctx, tx, in, decisionsJSON(a.Decisions))
	if err != nil {
		return a, err
	}
	if !added {
		return askedBefore(ctx, tx, in)
	}
	for _, d := range a.Decisions {
		if d.Reason == webhook.ReasonDisabled {
			if err := skip(ctx, tx, d.Webhook); err != nil {
				return a, err
			}
		}
	}
	if a.Asked() {
		_, err = tx.Exec(ctx, insertDelivery, deliveryValues(a.Job.Delivery)...)
	}
	return a, err
}

func askedDelivery(id webhook.ID, w *webhook.Webhook, e webhook.Event, lease time.Time) webhook.Delivery {
	d := newDelivery(id, w, e, e.ReceivedAt)
	d.Asked, d.Attempts, d.NextAt = true, 1, roundMillis(lease)
	return d
}

func askedBefore(ctx context.Context, q querier, in *arrival) (webhook.Answer, error) {
	first, err := duplicate(ctx, q, in)
	a := webhook.Answer{Event: first.Event, Decisions: first.Decisions, Duplicate: true}
	if err != nil {
		return a, err
	}
	for _, d := range first.Decisions {
		if d.Reason != webhook.Matched {
			continue
		}
		if a.Job.Delivery, err = findDelivery(ctx, q, in.Account, d.Delivery); err != nil {
			return a, err
		}
		if !a.Job.Delivery.Asked {
			return a, webhook.IDConflict{ExternalID: in.ExternalID}
		}
	}
	return a, nil
}

// TestInline is Test for an inline webhook: the delivery is claimed until lease,
// and is the caller's to send.
func (s *Store) TestInline(ctx context.Context, account, id webhook.ID, e webhook.Event, now, lease time.Time) (webhook.Job, error) {
	return s.test(ctx, account, id, e, now, lease)
}

// failInlineCalls fails the calls that a dead process had made: nobody waits for
// the answer any more.
func failInlineCalls(ctx context.Context, tx transaction, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE deliveries SET state = 'failed', finished_at = $1, next_at = 0, last_failure = $2
		WHERE state = 'pending' AND webhook_id IN (SELECT w.id FROM webhooks w WHERE w.kind = 'inline')`, toMillis(now), string(webhook.CutOff))
	return err
}

// CheckChannels tells whether an inline webhook could be saved as it is: it is
// webhook.Invalid when another one has a channel in common with it.
func (s *Store) CheckChannels(ctx context.Context, w *webhook.Webhook) error {
	return checkChannels(ctx, s.engine, w)
}

func checkChannels(ctx context.Context, q querier, w *webhook.Webhook) error {
	if w.Kind != webhook.Inline {
		return nil
	}
	all, err := listWebhooks(ctx, q, w.Account)
	if err != nil {
		return err
	}
	clash := webhook.ClashOf(w, all)
	if clash == nil {
		return nil
	}
	name := ""
	err = queryRow(ctx, q, `SELECT name FROM channels WHERE account_id = $1 AND id = $2`, w.Account, clash.Channel).scanOptional(&name)
	if err != nil {
		return err
	}
	called := clash.Channel
	if name != "" {
		called = fmt.Sprintf("%s (%s)", name, clash.Channel)
	}
	return webhook.Invalid{"channels": clash.Problem(called)}
}
