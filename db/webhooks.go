package db

import (
	"context"
	"slices"
	"time"
	"unicode/utf8"

	"bookhook/fallback"
	"bookhook/webhook"
)

const webhookColumns = `id, account_id, config, enabled, secret, old_secret, old_until, created_at, updated_at,
	created_by, failing_since, failed_at, off_at, off_reason, off_by, skipped, missed_since, missed_until, missed, on_at, warnings,
	secret_shown_at, secret_stored_at, secret_stored_by, ` + circuitColumns

const circuitColumns = `circuit_failures, circuit_pauses, circuit_opened_at, circuit_probe_at, circuit_resets`

func circuitScanners(c *webhook.Circuit) []any {
	return []any{&c.Failures, &c.Pauses, timeScanner{&c.OpenedAt}, timeScanner{&c.ProbeAt}, &c.Resets}
}

func (s *Store) scanWebhook(r scanner) (*webhook.Webhook, error) {
	w := &webhook.Webhook{}
	err := r.Scan(append([]any{
		&w.ID, &w.Account,
		jsonScanner{&w.Config},
		&w.Enabled, &w.Secret, &w.OldSecret,
		timeScanner{&w.OldUntil},
		timeScanner{&w.CreatedAt},
		timeScanner{&w.UpdatedAt},
		&w.CreatedBy,
		timeScanner{&w.FailingSince},
		timeScanner{&w.FailedAt},
		timeScanner{&w.OffAt},
		&w.OffReason, &w.OffBy, &w.Skipped,
		timeScanner{&w.Missed.Since},
		timeScanner{&w.Missed.Until},
		&w.Missed.Events,
		timeScanner{&w.OnAt},
		jsonScanner{&w.Warnings},
		timeScanner{&w.SecretShownAt},
		timeScanner{&w.SecretStored.At},
		&w.SecretStored.By,
	}, circuitScanners(&w.Circuit)...)...)
	if err != nil {
		return nil, err
	}
	return w, openWebhook(s.key, w)
}

// Webhooks lists the webhooks of an account in the order they were created.
func (s *Store) Webhooks(ctx context.Context, account webhook.AccountID) ([]*webhook.Webhook, error) {
	return s.listWebhooks(ctx, s.engine, account)
}

func (s *Store) listWebhooks(ctx context.Context, q querier, account webhook.AccountID) ([]*webhook.Webhook, error) {
	return list(ctx, q, s.scanWebhook, `SELECT `+webhookColumns+` FROM webhooks WHERE account_id = $1 AND deleted_at = 0 ORDER BY id`, account)
}

// Webhook finds a webhook of an account.
func (s *Store) Webhook(ctx context.Context, account webhook.AccountID, id webhook.WebhookID) (*webhook.Webhook, error) {
	return s.findWebhook(ctx, s.engine, account, id)
}

func (s *Store) findWebhook(ctx context.Context, q querier, account webhook.AccountID, id webhook.WebhookID) (*webhook.Webhook, error) {
	return s.scanWebhook(queryRow(ctx, q, `SELECT `+webhookColumns+` FROM webhooks WHERE account_id = $1 AND id = $2 AND deleted_at = 0`, account, id))
}

// WebhookNames names all webhooks of an account, deleted ones too, for the log.
func (s *Store) WebhookNames(ctx context.Context, account webhook.AccountID) (map[webhook.WebhookID]string, error) {
	type named struct {
		id   webhook.WebhookID
		name string
	}
	scan := func(r scanner) (n named, err error) {
		err = r.Scan(&n.id, &n.name)
		return n, err
	}
	rows, err := list(ctx, s.engine, scan, `SELECT id, config ->> 'name' FROM webhooks WHERE account_id = $1`, account)
	if err != nil {
		return nil, err
	}
	names := make(map[webhook.WebhookID]string, len(rows))
	for _, n := range rows {
		names[n.id] = n.name
	}
	return names, nil
}

// Backlog counts the deliveries that are waiting for a webhook of an account, and
// says when the oldest was created. Of more than webhook.CountCap it considers only
// those that are due first.
func (s *Store) Backlog(ctx context.Context, account webhook.AccountID, id webhook.WebhookID) (b webhook.Backlog, err error) {
	var oldest webhook.DeliveryID
	err = queryRow(ctx, s.engine, `SELECT count(*), COALESCE(min(id), 0) FROM (SELECT d.id FROM webhooks w JOIN deliveries d ON d.webhook_id = w.id
			WHERE w.account_id = $1 AND w.id = $2 AND d.state = 'pending' ORDER BY d.held, d.urgent, d.next_at LIMIT $3) AS waiting`,
		account, id, webhook.CountCap+1).Scan(&b.Waiting, &oldest)
	if err != nil || oldest == 0 {
		return b, err
	}
	err = queryRow(ctx, s.engine, `SELECT created_at FROM deliveries WHERE id = $1`, oldest).scanOptional(timeScanner{&b.Oldest})
	return b, err
}

// Attention lists the webhooks of an account that need attention: Bookhook switched them
// off, their circuit is open, or every attempt of a while has failed.
func (s *Store) Attention(ctx context.Context, account webhook.AccountID) ([]*webhook.Webhook, error) {
	all, err := list(ctx, s.engine, s.scanWebhook, `SELECT `+webhookColumns+` FROM webhooks
		WHERE account_id = $1 AND deleted_at = 0 AND (enabled = 0 AND off_reason <> 'user' OR enabled = 1 AND failing_since <> 0) ORDER BY id`, account)
	return slices.DeleteFunc(all, func(w *webhook.Webhook) bool {
		return !w.Status(webhook.Activity{Used: true}).NeedsAttention()
	}), err
}

// RecentFailures counts the failures among the newest deliveries of a webhook of an
// account that were attempted: webhook.LatestCounted of them or webhook.RecentCounted,
// among webhook.RecentScanned. The refusal of a booking (webhook.Outcome.RefusesBooking) is
// none.
func (s *Store) RecentFailures(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, of int) (f webhook.Failures, err error) {
	err = queryRow(ctx, s.engine, `SELECT count(*), COALESCE(sum(CASE WHEN last_failure = '' OR inline = 1 AND last_failure = 'status' AND last_status IN (400, 409, 422) THEN 0 ELSE 1 END), 0)
		FROM (SELECT last_failure, last_status, inline FROM (SELECT id, last_failure, last_status, inline, completed FROM deliveries WHERE account_id = $1 AND webhook_id = $2 AND test = 0
				ORDER BY id DESC LIMIT $3) AS newest
			WHERE completed > 0 ORDER BY id DESC LIMIT $4) AS attempted`,
		account, id, webhook.RecentScanned, of).Scan(&f.Of, &f.Failed)
	return f, err
}

// CreateWebhook creates a webhook and removes its draft (nil: none). It returns
// webhook.ErrDraftChanged if the draft was changed since it was read,
// webhook.LimitReached if the account has as many asynchronous webhooks as it may have,
// those that are off included, and webhook.Invalid if an inline webhook has a
// channel in common with another.
func (s *Store) CreateWebhook(ctx context.Context, w *webhook.Webhook, from *webhook.Draft, change webhook.Change) (*webhook.Webhook, error) {
	created := *w
	created.ID = webhook.WebhookID(s.nextID())
	created.CreatedAt, created.UpdatedAt, created.CreatedBy = roundMillis(change.At), roundMillis(change.At), change.By
	if from != nil {
		created.SecretShownAt = created.CreatedAt
	}
	if !created.Enabled {
		created.OffAt, created.OffReason, created.OffBy = roundMillis(change.At), webhook.OffByUser, change.By
	}
	err := s.write(ctx, func(tx transaction) error {
		if err := s.checkNew(ctx, tx, w); err != nil {
			return err
		}
		if err := finishDraft(ctx, tx, w.Account, from); err != nil {
			return err
		}
		key, err := s.writeKey(ctx, tx)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO webhooks (id, account_id, kind, config, enabled, secret, created_at, updated_at, created_by, off_at, off_reason, off_by,
				secret_shown_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
			created.ID, created.Account, string(created.Kind), sealConfig(key, &created), boolInt(created.Enabled), sealSecret(key, &created),
			toMillis(created.CreatedAt), toMillis(created.UpdatedAt), created.CreatedBy, toMillis(created.OffAt), string(created.OffReason), created.OffBy,
			toMillis(created.SecretShownAt))
		if err != nil {
			return err
		}
		return s.changed(ctx, tx, webhookEntry(&created, "webhook.created", change))
	})
	return &created, err
}

// checkNew says whether the account can have the new webhook.
func (s *Store) checkNew(ctx context.Context, tx transaction, w *webhook.Webhook) error {
	if err := checkConfigs(ctx, tx, w); err != nil {
		return err
	}
	if w.Kind == webhook.Inline {
		most := webhook.LimitReached{What: webhook.LimitedInline, Limit: webhook.MaxInline}
		if err := checkRoom(ctx, tx, w.Account, most, `SELECT count(*) FROM webhooks WHERE account_id = $1 AND kind = 'inline' AND deleted_at = 0`); err != nil {
			return err
		}
		return s.checkChannels(ctx, tx, w)
	}
	most := webhook.LimitReached{What: webhook.LimitedWebhooks}
	if err := queryRow(ctx, tx, `SELECT webhook_limit FROM accounts WHERE id = $1`, w.Account).Scan(&most.Limit); err != nil {
		return err
	}
	return checkRoom(ctx, tx, w.Account, most, `SELECT count(*) FROM webhooks WHERE account_id = $1 AND kind = 'async' AND deleted_at = 0`)
}

// checkConfigs says whether the account's webhooks may name as much as they do with
// this one: all of it is read whenever one of them changes. One that becomes shorter
// is always right.
func checkConfigs(ctx context.Context, tx transaction, w *webhook.Webhook) error {
	var others, before int
	err := queryRow(ctx, tx, `SELECT COALESCE(SUM(CASE WHEN id = $2 THEN 0 ELSE length(CAST(config AS TEXT)) END), 0), COALESCE(MAX(CASE WHEN id = $2 THEN length(CAST(config AS TEXT)) END), 0)
		FROM webhooks WHERE account_id = $1 AND deleted_at = 0`, w.Account, w.ID).Scan(&others, &before)
	if err != nil {
		return err
	}
	size := utf8.RuneCountInString(toJSON(w.Config))
	if size > before && others+size > webhook.MaxConfigs {
		return webhook.LimitReached{What: webhook.LimitedFilters, Limit: webhook.MaxConfigs, Used: others + before, Over: others + size - webhook.MaxConfigs}
	}
	return nil
}

func webhookEntry(w *webhook.Webhook, action string, change webhook.Change) webhook.AuditEntry {
	return webhook.AuditEntry{Account: w.Account, Change: change, Action: action, Subject: w.ID.String(), Args: []string{w.Name}}
}

// UpdateWebhook writes the configuration of a webhook, switches it on or off if the
// update says so, and removes its draft as CreateWebhook does. It returns
// webhook.ErrConflict if the webhook was changed since u.Base, and webhook.Invalid
// if the kind is another one, or if an inline webhook has a channel in common with
// another. It returns the webhook as it was before.
func (s *Store) UpdateWebhook(ctx context.Context, u webhook.Update, change webhook.Change) (before *webhook.Webhook, err error) {
	w := u.Webhook
	err = s.write(ctx, func(tx transaction) error {
		if before, err = s.findWebhook(ctx, tx, w.Account, w.ID); err != nil {
			return err
		}
		if !u.Base.IsZero() && !before.UpdatedAt.Equal(u.Base) {
			return webhook.ErrConflict
		}
		if before.Kind != w.Kind {
			return webhook.Invalid{"type": webhook.KindFixed}
		}
		if err := checkConfigs(ctx, tx, w); err != nil {
			return err
		}
		if err := s.checkChannels(ctx, tx, w); err != nil {
			return err
		}
		if err := finishDraft(ctx, tx, w.Account, u.Draft); err != nil {
			return err
		}
		key, err := s.writeKey(ctx, tx)
		if err != nil {
			return err
		}
		updated := max(toMillis(change.At), toMillis(before.UpdatedAt)+1) // two changes in one millisecond must differ
		if _, err := tx.Exec(ctx, `UPDATE webhooks SET config = $2, updated_at = $3 WHERE id = $1`, w.ID, sealConfig(key, w), updated); err != nil {
			return err
		}
		if w.URL != before.URL {
			if _, err := tx.Exec(ctx, `UPDATE webhooks SET warnings = '{}' WHERE id = $1`, w.ID); err != nil {
				return err
			}
		}
		if err := touchWebhook(ctx, tx, w); err != nil {
			return err
		}
		if err := s.changed(ctx, tx, webhookEntry(w, "webhook.changed", change)); err != nil {
			return err
		}
		return s.switchTo(ctx, tx, before, u.Enabled, change)
	})
	if err != nil {
		return nil, err
	}
	return before, s.retryAfterSwitch(ctx, before, u.Enabled, change.At)
}

// SetEnabled switches a webhook on or off. Deliveries that waited while it was off
// become due when it is switched on. It returns the webhook as it was before, which
// says how many events were skipped while it was off.
func (s *Store) SetEnabled(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, enabled bool, change webhook.Change) (before *webhook.Webhook, err error) {
	err = s.write(ctx, func(tx transaction) error {
		if before, err = s.findWebhook(ctx, tx, account, id); err != nil {
			return err
		}
		return s.switchTo(ctx, tx, before, &enabled, change)
	})
	if err != nil {
		return nil, err
	}
	return before, s.retryAfterSwitch(ctx, before, &enabled, change.At)
}

// switchTo switches a webhook on or off; it does nothing if enabled is nil or no
// change.
func (s *Store) switchTo(ctx context.Context, tx transaction, w *webhook.Webhook, enabled *bool, change webhook.Change) error {
	if enabled == nil || *enabled == w.Enabled {
		return nil
	}
	if err := touchWebhook(ctx, tx, w); err != nil {
		return err
	}
	if !*enabled {
		if err := switchOff(ctx, tx, w.ID, webhook.OffByUser, change); err != nil {
			return err
		}
		return s.changed(ctx, tx, webhookEntry(w, "webhook.off", change))
	}
	delete(s.healthy, w.ID)
	_, err := tx.Exec(ctx, `UPDATE webhooks SET enabled = 1, on_at = $2, off_at = 0, off_reason = '', off_by = '', skipped = 0, failing_since = 0, failed_at = 0,
			missed_since = CASE WHEN skipped > 0 THEN off_at ELSE missed_since END, missed_until = CASE WHEN skipped > 0 THEN $2 ELSE missed_until END,
			missed = CASE WHEN skipped > 0 THEN skipped ELSE missed END
		WHERE id = $1`, w.ID, toMillis(change.At))
	if err != nil {
		return err
	}
	return s.changed(ctx, tx, webhookEntry(w, "webhook.on", change))
}

func switchOff(ctx context.Context, tx transaction, id webhook.WebhookID, reason webhook.OffReason, change webhook.Change) error {
	_, err := tx.Exec(ctx, `UPDATE webhooks SET enabled = 0, off_at = $2, off_reason = $3, off_by = $4, skipped = 0 WHERE id = $1`,
		id, toMillis(change.At), string(reason), change.By)
	return err
}

// retryAfterSwitch makes the waiting deliveries of a webhook that was switched on
// due.
func (s *Store) retryAfterSwitch(ctx context.Context, before *webhook.Webhook, enabled *bool, now time.Time) error {
	if enabled == nil || !*enabled || before.Enabled {
		return nil
	}
	if err := s.RetryNow(ctx, before.ID, now); err != nil {
		return err
	}
	return s.write(ctx, func(tx transaction) error {
		tx.touch(before.Account, before.ID, webhook.TouchDue)
		return nil
	})
}

// RotateSecret gives a webhook a new signing secret, which a page shows once, in place of
// the one that was shown at a time (zero: to no page); deliveries are also signed with that
// one for webhook.SecretOverlap. It returns webhook.ErrConflict if there is another secret
// by now.
func (s *Store) RotateSecret(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, shown time.Time, secret string, change webhook.Change) error {
	return s.write(ctx, func(tx transaction) error {
		w, err := s.findWebhook(ctx, tx, account, id)
		if err != nil {
			return err
		}
		if !w.SecretShownAt.Equal(shown) {
			return webhook.ErrConflict
		}
		key, err := s.writeKey(ctx, tx)
		if err != nil {
			return err
		}
		w.Secret, w.OldSecret = secret, w.Secret
		now := max(toMillis(change.At), toMillis(w.SecretShownAt)+1) // it tells this secret from the one before
		_, err = tx.Exec(ctx, `UPDATE webhooks SET old_secret = $4, old_until = $2, secret = $3,
				secret_shown_at = $5, secret_stored_at = 0, secret_stored_by = '' WHERE id = $1`,
			id, toMillis(change.At.Add(webhook.SecretOverlap)), sealSecret(key, w), sealOldSecret(key, w), now)
		if err != nil {
			return err
		}
		if err := touchWebhook(ctx, tx, w); err != nil {
			return err
		}
		return s.changed(ctx, tx, webhookEntry(w, "webhook.secret", change))
	})
}

// MarkSecretStored records that the receiver of a webhook has the secret that was shown at
// a time, unless that was recorded before. It returns webhook.ErrConflict if there is
// another secret by now.
func (s *Store) MarkSecretStored(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, shown time.Time, change webhook.Change) error {
	return s.write(ctx, func(tx transaction) error {
		w, err := s.findWebhook(ctx, tx, account, id)
		switch {
		case err != nil:
			return err
		case !w.SecretShownAt.Equal(shown):
			return webhook.ErrConflict
		case !w.SecretPending():
			return nil
		}
		_, err = tx.Exec(ctx, `UPDATE webhooks SET secret_stored_at = $2, secret_stored_by = $3 WHERE id = $1`, id, toMillis(change.At), change.By)
		if err != nil {
			return err
		}
		return s.changed(ctx, tx, webhookEntry(w, "webhook.secret_stored", change))
	})
}

// DeleteWebhook deletes a webhook, cancels its waiting deliveries, and returns how
// many those were. The log is kept, with the webhook's name. Who got its bookings by
// e-mail is notified.
func (s *Store) DeleteWebhook(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, change webhook.Change) (cancelled int64, err error) {
	err = s.write(ctx, func(tx transaction) error {
		w, err := s.findWebhook(ctx, tx, account, id)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM drafts WHERE account_id = $1 AND webhook_id = $2`, account, id); err != nil {
			return err
		}
		if _, err := s.endFallback(ctx, tx, w, fallback.Deleted, change.At); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE webhooks SET enabled = 0, deleted_at = $2 WHERE id = $1`, id, toMillis(change.At)); err != nil {
			return err
		}
		if err := touchWebhook(ctx, tx, w); err != nil {
			return err
		}
		return s.changed(ctx, tx, webhookEntry(w, "webhook.deleted", change))
	})
	if err != nil {
		return 0, err
	}
	return s.cancelAll(ctx, id, change.At)
}

// cancelAll cancels the waiting deliveries of a deleted webhook, in steps, and leaves
// it out of running replays. After a crash RecoverClaims does the rest.
func (s *Store) cancelAll(ctx context.Context, id webhook.WebhookID, now time.Time) (cancelled int64, err error) {
	if err := s.endItems(ctx, id, now); err != nil {
		return 0, err
	}
	return s.inSteps(ctx, `UPDATE deliveries SET state = 'cancelled', finished_at = $2 WHERE id IN (
		SELECT id FROM deliveries WHERE webhook_id = $1 AND state = 'pending' ORDER BY held, urgent, next_at LIMIT $3)`, id, toMillis(now), stepRows)
}
