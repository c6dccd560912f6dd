package db

import (
	"context"
	"time"

	"bookhook/incidents"
	"bookhook/webhook"
)

// What may be wrong, in all accounts: read by who decides whether people are notified.

// Troubles lists the webhooks of all accounts that failed, were switched off or are
// warned of, and those with these ids.
func (s *Store) Troubles(ctx context.Context, also []webhook.WebhookID) (troubles []incidents.Trouble, err error) {
	const troubled = `failing_since <> 0 OR off_reason <> '' OR warnings <> '{}'`
	troubles, err = s.troubles(ctx, `(`+troubled+`) AND deleted_at = 0 AND off_reason <> 'user'`)
	if err != nil || len(also) == 0 {
		return troubles, err
	}
	seen := map[webhook.WebhookID]bool{}
	for _, t := range troubles {
		seen[t.Webhook.ID] = true
	}
	condition, ids := anyOf("id", 2, also)
	others, err := s.troubles(ctx, condition, ids...)
	for _, t := range others {
		if !seen[t.Webhook.ID] {
			troubles = append(troubles, t)
		}
	}
	return troubles, err
}

func (s *Store) troubles(ctx context.Context, condition string, args ...any) ([]incidents.Trouble, error) {
	scan := func(r scanner) (t incidents.Trouble, err error) {
		w := &webhook.Webhook{}
		var after int64
		t.Webhook = w
		err = r.Scan(&w.ID, &w.Account, &w.Kind, &w.Name, &w.Enabled, timeScanner{&w.FailingSince}, timeScanner{&w.FailedAt}, timeScanner{&w.OffAt}, &w.OffReason, &w.OffBy,
			&w.Missed.Events, timeScanner{&w.Missed.Until}, jsonScanner{&w.Warnings}, &t.Deleted, &t.Waiting, &after, &t.Limits.Waiting)
		t.Limits.After = time.Duration(after) * time.Millisecond
		if after == 0 {
			t.Limits = incidents.DefaultLimits
		}
		return t, err
	}
	return list(ctx, s.engine, scan, `SELECT w.id, w.account_id, w.kind, w.config ->> 'name', w.enabled, w.failing_since, w.failed_at, w.off_at, w.off_reason, w.off_by,
			w.missed, w.missed_until, w.warnings, CASE WHEN w.deleted_at <> 0 THEN 1 ELSE 0 END,
			(SELECT count(*) FROM (SELECT 1 FROM deliveries d WHERE d.webhook_id = w.id AND d.state = 'pending' LIMIT $1) AS waiting),
			COALESCE(l.after_ms, 0), COALESCE(l.waiting, 0)
		FROM (SELECT * FROM webhooks WHERE `+condition+`) AS w LEFT JOIN notice_limits l ON l.account_id = w.account_id`,
		append([]any{incidents.MaxWaiting}, args...)...)
}

// recentRejected is how many rejected requests RejectedLately reads.
const recentRejected = 100_000

// RejectedLately lists, of each account and platform, when requests were rejected last,
// if that was since.
func (s *Store) RejectedLately(ctx context.Context, since time.Time) ([]incidents.Rejections, error) {
	scan := func(r scanner) (x incidents.Rejections, err error) {
		err = r.Scan(&x.Account, &x.Platform, timeScanner{&x.Last}, timeScanner{&x.Received})
		return x, err
	}
	return list(ctx, s.engine, scan, `SELECT r.account_id, r.platform, MAX(r.last_at), COALESCE((SELECT c.received_at FROM connections c WHERE c.account_id = r.account_id AND c.platform = r.platform), 0)
		FROM (SELECT account_id, platform, last_at FROM rejected_requests WHERE last_at >= $1 ORDER BY last_at DESC LIMIT $2) AS r
		GROUP BY r.account_id, r.platform`, toMillis(since), recentRejected)
}

// Undelivered returns the references of the bookings of which deliveries for a webhook
// of an account were created since, and are waiting or have failed since another time, the
// oldest first. It considers the most oldest deliveries of each state.
func (s *Store) Undelivered(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, since, failed time.Time, most int) ([]string, error) {
	scan := func(r scanner) (reference string, err error) { return reference, r.Scan(&reference) }
	const of = `SELECT booking_id FROM (SELECT id, booking_id FROM deliveries
		WHERE account_id = $1 AND webhook_id = $2 AND id >= $3 AND state <> 'delivered' AND booking_id <> '' AND test = 0 AND state = `
	all, err := list(ctx, s.engine, scan, of+`'pending' ORDER BY id LIMIT $4) AS pending UNION ALL `+of+`'failed' AND finished_at >= $5 ORDER BY id LIMIT $4) AS failed`,
		account, id, webhook.FirstID[webhook.DeliveryID](since), most, toMillis(failed))
	seen := map[string]bool{}
	var references []string
	for _, reference := range all {
		if !seen[reference] {
			seen[reference] = true
			references = append(references, reference)
		}
	}
	return references, err
}

// LastFailure finds the newest delivery of a webhook of an account of which an attempt
// failed; it is not read beyond the webhook.RecentScanned newest.
func (s *Store) LastFailure(ctx context.Context, account webhook.AccountID, id webhook.WebhookID) (delivery webhook.DeliveryID, o webhook.Outcome, err error) {
	err = queryRow(ctx, s.engine, `SELECT id, last_status, last_failure FROM (SELECT id, last_status, last_failure FROM deliveries
			WHERE account_id = $1 AND webhook_id = $2 ORDER BY id DESC LIMIT $3) AS newest
		WHERE last_failure <> '' ORDER BY id DESC LIMIT 1`, account, id, webhook.RecentScanned).Scan(&delivery, &o.Status, &o.Failure)
	return delivery, o, err
}

// DeliveredLate counts the deliveries of a webhook of an account that were created
// between two times, and delivered since a third one and more than a minute after that; and
// says when the oldest of them was created.
func (s *Store) DeliveredLate(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, from, until, delivered time.Time) (c webhook.Count, oldest time.Time, err error) {
	err = queryRow(ctx, s.engine, `SELECT count(*), COALESCE(min(created_at), 0) FROM (SELECT state, created_at, finished_at FROM deliveries
			WHERE account_id = $1 AND webhook_id = $2 AND id >= $3 AND id < $4 AND test = 0 ORDER BY id LIMIT $5) AS of_the_outage
		WHERE state = 'delivered' AND finished_at >= $6 AND finished_at - created_at > 60000`,
		account, id, webhook.FirstID[webhook.DeliveryID](from), webhook.FirstID[webhook.DeliveryID](until), webhook.CountCap, toMillis(delivered)).Scan(&c.N, timeScanner{&oldest})
	c.More = c.N >= webhook.CountCap
	return c, oldest, err
}
