package db

import (
	"context"
	"time"

	"bookhook/webhook"
)

const webhookColumns = `id, account_id, name, url, kind, format, events, channels, tours, enabled, concurrency, ordered, rate_requests, rate_per,
	basic_auth, bare, email, time_limit, secret, old_secret, old_until, created_at, updated_at,
	failing_since, failed_at, off_at, off_reason, skipped`

func scanWebhook(r scanner) (*webhook.Webhook, error) {
	w := &webhook.Webhook{}
	err := r.Scan(&w.ID, &w.Account, &w.Name, &w.URL, &w.Kind, &w.Format, jsonScanner{&w.Events}, jsonScanner{&w.Channels}, jsonScanner{&w.Tours},
		&w.Enabled, &w.Concurrency, &w.Ordered, &w.Rate.Requests, &w.Rate.Per,
		&w.Basic, &w.Bare, &w.Email, &w.TimeLimit, &w.Secret, &w.OldSecret, timeScanner{&w.OldUntil}, timeScanner{&w.CreatedAt}, timeScanner{&w.UpdatedAt},
		timeScanner{&w.FailingSince}, timeScanner{&w.FailedAt}, timeScanner{&w.OffAt}, &w.OffReason, &w.Skipped)
	return w, err
}

// Webhooks lists the webhooks of an account in the order they were made.
func (s *Store) Webhooks(ctx context.Context, account webhook.ID) ([]*webhook.Webhook, error) {
	return listWebhooks(ctx, s.engine, account)
}

func listWebhooks(ctx context.Context, q querier, account webhook.ID) ([]*webhook.Webhook, error) {
	return list(ctx, q, scanWebhook, `SELECT `+webhookColumns+` FROM webhooks WHERE account_id = $1 AND deleted_at = 0 ORDER BY id`, account)
}

// Webhook finds a webhook of an account.
func (s *Store) Webhook(ctx context.Context, account, id webhook.ID) (*webhook.Webhook, error) {
	return findWebhook(ctx, s.engine, account, id)
}

// Backlog tells what waits for a webhook of an account; of more than
// webhook.CountCap deliveries, the oldest of those that are due first.
func (s *Store) Backlog(ctx context.Context, account, id webhook.ID) (b webhook.Backlog, err error) {
	var oldest webhook.ID
	err = queryRow(ctx, s.engine, `SELECT count(*), COALESCE(min(id), 0) FROM (SELECT d.id FROM webhooks w JOIN deliveries d ON d.webhook_id = w.id
			WHERE w.account_id = $1 AND w.id = $2 AND d.state = 'pending' ORDER BY d.held, d.urgent, d.next_at LIMIT $3) AS waiting`,
		account, id, webhook.CountCap+1).Scan(&b.Waiting, &oldest)
	if err != nil || oldest == 0 {
		return b, err
	}
	return b, queryRow(ctx, s.engine, `SELECT created_at FROM deliveries WHERE id = $1`, oldest).scanOptional(timeScanner{&b.Oldest})
}

func findWebhook(ctx context.Context, q querier, account, id webhook.ID) (*webhook.Webhook, error) {
	return scanWebhook(queryRow(ctx, q, `SELECT `+webhookColumns+` FROM webhooks WHERE account_id = $1 AND id = $2 AND deleted_at = 0`, account, id))
}

// WebhookNames names all webhooks of an account, deleted ones too, for the log.
func (s *Store) WebhookNames(ctx context.Context, account webhook.ID) (map[webhook.ID]string, error) {
	type named struct {
		id   webhook.ID
		name string
	}
	scan := func(r scanner) (n named, err error) { return n, r.Scan(&n.id, &n.name) }
	rows, err := list(ctx, s.engine, scan, `SELECT id, name FROM webhooks WHERE account_id = $1`, account)
	if err != nil {
		return nil, err
	}
	names := make(map[webhook.ID]string, len(rows))
	for _, n := range rows {
		names[n.id] = n.name
	}
	return names, nil
}

// CreateWebhook makes a webhook and removes the draft it came from (nil: none),
// which must be as it was read, or it is webhook.ErrDraftChanged. With as many
// asynchronous ones as the account may have it is webhook.ErrLimit; those that
// are off count. An inline one that has a channel in common with another is
// webhook.Invalid.
func (s *Store) CreateWebhook(ctx context.Context, w *webhook.Webhook, from *webhook.Draft, by string, now time.Time) (*webhook.Webhook, error) {
	created := *w
	created.ID, created.CreatedAt, created.UpdatedAt = s.newID(), roundMillis(now), roundMillis(now)
	if !created.Enabled {
		created.OffAt, created.OffReason = roundMillis(now), webhook.OffByUser
	}
	err := s.write(ctx, func(tx transaction) error {
		if err := checkRoom(ctx, tx, w); err != nil {
			return err
		}
		if err := finishDraft(ctx, tx, w.Account, from); err != nil {
			return err
		}
		if err := insertWebhook(ctx, tx, &created); err != nil {
			return err
		}
		if err := s.touch(ctx, tx, w.Account); err != nil {
			return err
		}
		return s.audit(ctx, tx, w.Account, by, "webhook.created", w.Name, now)
	})
	return &created, err
}

// checkRoom says whether the account can have the new webhook.
func checkRoom(ctx context.Context, q querier, w *webhook.Webhook) error {
	if w.Kind == webhook.Inline {
		return checkChannels(ctx, q, w)
	}
	return checkLimit(ctx, q, w.Account)
}

func checkLimit(ctx context.Context, q querier, account webhook.ID) error {
	var used, limit int
	err := queryRow(ctx, q, `SELECT webhook_limit,
			(SELECT count(*) FROM webhooks w WHERE w.account_id = a.id AND w.kind = 'async' AND w.deleted_at = 0)
		FROM accounts a WHERE a.id = $1`, account).Scan(&limit, &used)
	if err == nil && used >= limit {
		return webhook.ErrLimit
	}
	return err
}

func insertWebhook(ctx context.Context, tx transaction, w *webhook.Webhook) error {
	_, err := tx.Exec(ctx, `INSERT INTO webhooks (id, account_id, name, url, kind, format, events, channels, tours,
			enabled, concurrency, secret, created_at, updated_at, off_at, off_reason, ordered, rate_requests, rate_per,
			basic_auth, bare, email, time_limit)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)`,
		w.ID, w.Account, w.Name, w.URL, string(w.Kind), string(w.Format), toJSON(w.Events), toJSON(w.Channels), toJSON(w.Tours),
		boolInt(w.Enabled), w.Concurrency, w.Secret, toMillis(w.CreatedAt), toMillis(w.UpdatedAt), toMillis(w.OffAt), string(w.OffReason),
		boolInt(w.Ordered), w.Rate.Requests, string(w.Rate.Per), w.Basic, boolInt(w.Bare), w.Email, w.TimeLimit)
	return err
}

// UpdateWebhook writes what a person may change of a webhook: name, URL,
// format, filters and how it is called; the draft it came from (nil: none) is
// removed as CreateWebhook does. When base is not zero and the webhook was changed
// since, it is webhook.ErrConflict. With another type, or as an inline webhook
// that has a channel in common with another, it is webhook.Invalid.
func (s *Store) UpdateWebhook(ctx context.Context, w *webhook.Webhook, base time.Time, from *webhook.Draft, by string, now time.Time) error {
	return s.write(ctx, func(tx transaction) error {
		old, err := findWebhook(ctx, tx, w.Account, w.ID)
		if err != nil {
			return err
		}
		if !base.IsZero() && !old.UpdatedAt.Equal(base) {
			return webhook.ErrConflict
		}
		if old.Kind != w.Kind {
			return webhook.Invalid{"type": webhook.TypeStays}
		}
		if err := checkChannels(ctx, tx, w); err != nil {
			return err
		}
		if err := finishDraft(ctx, tx, w.Account, from); err != nil {
			return err
		}
		updated := max(toMillis(now), toMillis(old.UpdatedAt)+1) // two changes in one millisecond differ
		_, err = tx.Exec(ctx, `UPDATE webhooks SET name = $2, url = $3, format = $4, events = $5, channels = $6, tours = $7,
			concurrency = $8, updated_at = $9, ordered = $10, rate_requests = $11, rate_per = $12, basic_auth = $13, bare = $14,
			email = $15, time_limit = $16 WHERE id = $1`,
			w.ID, w.Name, w.URL, string(w.Format), toJSON(w.Events), toJSON(w.Channels), toJSON(w.Tours), w.Concurrency, updated,
			boolInt(w.Ordered), w.Rate.Requests, string(w.Rate.Per), w.Basic, boolInt(w.Bare), w.Email, w.TimeLimit)
		if err != nil {
			return err
		}
		return s.changed(ctx, tx, w.Account, by, "webhook.changed", w.Name, now)
	})
}

// changed notes a change of an account or a webhook of it: a new revision and
// an audit entry.
func (s *Store) changed(ctx context.Context, tx transaction, account webhook.ID, by, action, subject string, now time.Time) error {
	if err := s.touch(ctx, tx, account); err != nil {
		return err
	}
	return s.audit(ctx, tx, account, by, action, subject, now)
}

// SetEnabled switches a webhook on or off. What waited while it was off is due
// when it is on. It returns the webhook as it was before: when it was off, that
// tells how many events were skipped.
func (s *Store) SetEnabled(ctx context.Context, account, id webhook.ID, enabled bool, by string, now time.Time) (before *webhook.Webhook, err error) {
	err = s.write(ctx, func(tx transaction) error {
		if before, err = findWebhook(ctx, tx, account, id); err != nil {
			return err
		}
		if before.Enabled == enabled {
			return nil
		}
		if enabled {
			_, err = tx.Exec(ctx, `UPDATE webhooks SET enabled = 1, off_at = 0, off_reason = '', skipped = 0, failing_since = 0, failed_at = 0 WHERE id = $1`, id)
		} else {
			err = switchOff(ctx, tx, id, webhook.OffByUser, now)
		}
		if err != nil {
			return err
		}
		return s.changed(ctx, tx, account, by, map[bool]string{true: "webhook.on", false: "webhook.off"}[enabled], before.Name, now)
	})
	if err != nil || !enabled || before.Enabled {
		return before, err
	}
	return before, s.Hasten(ctx, id, now)
}

func switchOff(ctx context.Context, tx transaction, id webhook.ID, reason webhook.OffReason, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE webhooks SET enabled = 0, off_at = $2, off_reason = $3, skipped = 0 WHERE id = $1`, id, toMillis(now), string(reason))
	return err
}

// RotateSecret gives a webhook a new signing secret; the one it had goes on
// signing for webhook.SecretOverlap.
func (s *Store) RotateSecret(ctx context.Context, account, id webhook.ID, secret, by string, now time.Time) error {
	return s.write(ctx, func(tx transaction) error {
		w, err := findWebhook(ctx, tx, account, id)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE webhooks SET old_secret = secret, old_until = $2, secret = $3 WHERE id = $1`,
			id, toMillis(now.Add(webhook.SecretOverlap)), secret)
		if err != nil {
			return err
		}
		return s.changed(ctx, tx, account, by, "webhook.secret", w.Name, now)
	})
}

// DeleteWebhook removes a webhook and cancels what waits for it; it returns
// how many deliveries that were. The log stays and goes on naming it.
func (s *Store) DeleteWebhook(ctx context.Context, account, id webhook.ID, by string, now time.Time) (cancelled int64, err error) {
	err = s.write(ctx, func(tx transaction) error {
		w, err := findWebhook(ctx, tx, account, id)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM drafts WHERE account_id = $1 AND webhook_id = $2`, account, id); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE webhooks SET enabled = 0, deleted_at = $2 WHERE id = $1`, id, toMillis(now)); err != nil {
			return err
		}
		return s.changed(ctx, tx, account, by, "webhook.deleted", w.Name, now)
	})
	if err != nil {
		return 0, err
	}
	return s.cancelAll(ctx, id, now)
}

// cancelAll cancels what waits for a webhook that was deleted, in steps. What a
// crash leaves of that is cancelled by Heal.
func (s *Store) cancelAll(ctx context.Context, id webhook.ID, now time.Time) (cancelled int64, err error) {
	return s.inSteps(ctx, `UPDATE deliveries SET state = 'cancelled', finished_at = $2 WHERE id IN (
		SELECT id FROM deliveries WHERE webhook_id = $1 AND state = 'pending' ORDER BY held, urgent, next_at LIMIT $3)`, id, toMillis(now), stepRows)
}
