package db

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"bookhook/fallback"
	"bookhook/webhook"
)

const fallbackColumns = `webhook_id, account_id, address, guests, set_by, set_at, expires_at, confirmed_at, stopped_at, incident_id, since, queued_at, listed,
	COALESCE((SELECT o.state FROM outbox o WHERE o.id = link_mail), ''),
	COALESCE((SELECT o.problem FROM outbox o WHERE o.id = CASE WHEN confirmed_at = 0 THEN link_mail ELSE list_mail END), ''),
	EXISTS (SELECT 1 FROM outbox o WHERE o.id = list_mail AND o.state = 'waiting')`

func scanFallback(r scanner) (f fallback.Fallback, err error) {
	err = r.Scan(&f.Webhook, &f.Account, &f.Address, &f.Guests, &f.SetBy, timeScanner{&f.SetAt}, timeScanner{&f.ExpiresAt}, timeScanner{&f.ConfirmedAt}, timeScanner{&f.StoppedAt},
		&f.Incident, timeScanner{&f.Since}, timeScanner{&f.QueuedAt}, timeScanner{&f.Listed}, &f.LinkState, messageScanner{&f.Problem}, &f.Sending)
	return f, err
}

// Fallback returns where the bookings of a webhook of an account go while it fails, or
// webhook.ErrNotFound if nowhere.
func (s *Store) Fallback(ctx context.Context, account webhook.AccountID, id webhook.WebhookID) (fallback.Fallback, error) {
	return findFallback(ctx, s.engine, account, id)
}

func findFallback(ctx context.Context, q querier, account webhook.AccountID, id webhook.WebhookID) (fallback.Fallback, error) {
	return scanFallback(queryRow(ctx, q, `SELECT `+fallbackColumns+` FROM fallbacks WHERE account_id = $1 AND webhook_id = $2`, account, id))
}

// SetFallback chooses where the bookings of a webhook go; of f, Webhook, Account, Address
// and Guests count. Another address than before is asked to confirm, and the one before
// is notified; the same address is asked again if guests' data are added. It returns
// webhook.Invalid for an inline webhook, and webhook.LimitReached if too many addresses
// were asked.
func (s *Store) SetFallback(ctx context.Context, f fallback.Fallback, change webhook.Change) (asked bool, err error) {
	err = s.write(ctx, func(tx transaction) error {
		asked = false
		w, err := s.findWebhook(ctx, tx, f.Account, f.Webhook)
		if err != nil {
			return err
		}
		if w.Kind == webhook.Inline {
			return webhook.Invalid{"email": webhook.NewMessage("fallback.inline")}
		}
		old, err := findFallback(ctx, tx, f.Account, f.Webhook)
		switch {
		case err != nil && !errors.Is(err, webhook.ErrNotFound):
			return err
		case err == nil && old.Address == f.Address:
			asked = f.Guests && !old.Guests
			return s.setGuests(ctx, tx, w, old, f.Guests, change)
		}
		asked = true
		return s.startFallback(ctx, tx, w, f, change)
	})
	return asked, err
}

// setGuests chooses whether guests' data are sent. Whoever confirmed without them is asked
// again, and gets nothing until then.
func (s *Store) setGuests(ctx context.Context, tx transaction, w *webhook.Webhook, f fallback.Fallback, guests bool, change webhook.Change) error {
	if f.Guests == guests {
		return nil
	}
	if !guests {
		if _, err := tx.Exec(ctx, `UPDATE fallbacks SET guests = 0 WHERE webhook_id = $1`, w.ID); err != nil {
			return err
		}
		return s.auditFallback(ctx, tx, w, f.Address, "fallback.no_guests", change)
	}
	mail, err := s.askToConfirm(ctx, tx, w, f.Address, change.At)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE fallbacks SET guests = 1, confirmed_at = 0, set_by = $2, set_at = $3, link_mail = $4, expires_at = $5 WHERE webhook_id = $1`,
		w.ID, change.By, toMillis(change.At), mail, toMillis(change.At.Add(fallback.Term)))
	if err != nil {
		return err
	}
	return s.auditFallback(ctx, tx, w, f.Address, "fallback.guests", change)
}

// startFallback asks a new address to confirm. What was listed to the one before is not
// listed again.
func (s *Store) startFallback(ctx context.Context, tx transaction, w *webhook.Webhook, f fallback.Fallback, change webhook.Change) error {
	mail, err := s.askToConfirm(ctx, tx, w, f.Address, change.At)
	if err != nil {
		return err
	}
	before, err := s.endFallback(ctx, tx, w, fallback.Removed, change.At)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO fallbacks (webhook_id, account_id, address, guests, set_by, set_at, link_mail, expires_at, queued_at, listed)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, w.ID, w.Account, f.Address, boolInt(f.Guests), change.By, toMillis(change.At), mail,
		toMillis(change.At.Add(fallback.Term)), toMillis(before.QueuedAt), toMillis(before.Listed))
	if err != nil {
		return err
	}
	action := "fallback.set"
	if f.Guests {
		action = "fallback.set_guests"
	}
	return s.auditFallback(ctx, tx, w, f.Address, action, change)
}

// askToConfirm queues a message with a link that confirms an address.
func (s *Store) askToConfirm(ctx context.Context, tx transaction, w *webhook.Webhook, address string, now time.Time) (webhook.MailID, error) {
	m := webhook.Mail{Account: w.Account, To: address, Kind: webhook.MailConfirm, CreatedAt: now}
	err := roomForMail(ctx, tx, m,
		webhook.LimitReached{What: webhook.LimitedConfirmations, Limit: webhook.MaxConfirmations, Wait: webhook.ConfirmationsWithin},
		webhook.LimitReached{What: webhook.LimitedConfirmationsTo, Limit: webhook.MaxConfirmationsTo, Wait: webhook.ConfirmationsWithin})
	if err != nil {
		return 0, err
	}
	return s.enqueue(ctx, tx, m, now)
}

// endFallback deletes where the bookings of a webhook go, if it has that, tells the
// address if there was something to tell, and returns what it deleted.
func (s *Store) endFallback(ctx context.Context, tx transaction, w *webhook.Webhook, why fallback.Reason, now time.Time) (fallback.Fallback, error) {
	f, err := findFallback(ctx, tx, w.Account, w.ID)
	if err != nil {
		return f, ignoreNotFound(err)
	}
	if _, err := tx.Exec(ctx, `DELETE FROM fallbacks WHERE webhook_id = $1`, w.ID); err != nil || f.Incident == 0 {
		return f, err
	}
	_, err = s.queueFallback(ctx, tx, f, f.LastMail(why), now)
	return f, err
}

// queueFallback queues a message to the address, unless it is empty.
func (s *Store) queueFallback(ctx context.Context, tx transaction, f fallback.Fallback, m fallback.Mail, now time.Time) (webhook.MailID, error) {
	if m.Empty() {
		return 0, nil
	}
	args, err := json.Marshal(m)
	if err != nil {
		return 0, err
	}
	return s.enqueue(ctx, tx, webhook.Mail{Account: f.Account, To: f.Address, Kind: webhook.MailFallback, Args: args}, now)
}

func (s *Store) auditFallback(ctx context.Context, tx transaction, w *webhook.Webhook, address, action string, change webhook.Change) error {
	return s.audit(ctx, tx, webhook.AuditEntry{Account: w.Account, Change: change, Action: action, Subject: w.ID.String(), Args: []string{address, w.Name}})
}

// SendFallbackLink asks an address again to confirm; its last link works until the new
// one is sent. It returns webhook.ErrConflict if it is confirmed, and
// webhook.LimitReached as SetFallback does.
func (s *Store) SendFallbackLink(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, change webhook.Change) (f fallback.Fallback, err error) {
	err = s.write(ctx, func(tx transaction) error {
		if f, err = findFallback(ctx, tx, account, id); err != nil {
			return err
		}
		if !f.ConfirmedAt.IsZero() {
			return webhook.ErrConflict
		}
		w, err := s.findWebhook(ctx, tx, account, id)
		if err != nil {
			return err
		}
		mail, err := s.askToConfirm(ctx, tx, w, f.Address, change.At)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE fallbacks SET link_mail = $2, expires_at = $3 WHERE webhook_id = $1`, id, mail, toMillis(change.At.Add(fallback.Term))); err != nil {
			return err
		}
		return s.auditFallback(ctx, tx, w, f.Address, "fallback.again", change)
	})
	return f, err
}

// RemoveFallback ends what is sent while a webhook fails, and returns what that was.
func (s *Store) RemoveFallback(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, change webhook.Change) (f fallback.Fallback, err error) {
	err = s.write(ctx, func(tx transaction) error {
		w, err := s.findWebhook(ctx, tx, account, id)
		if err != nil {
			return err
		}
		if f, err = s.endFallback(ctx, tx, w, fallback.Removed, change.At); err != nil {
			return err
		}
		if f.Webhook == 0 {
			return webhook.ErrNotFound
		}
		return s.auditFallback(ctx, tx, w, f.Address, "fallback.removed", change)
	})
	return f, err
}

// SetFallbackToken stores the hash of the token in a message that is about to be sent, in
// place of the one before it. It returns webhook.ErrNotFound if the message is no longer
// the last one to ask for confirmation.
func (s *Store) SetFallbackToken(ctx context.Context, mail webhook.MailID, hash []byte, expires time.Time) (f fallback.Fallback, err error) {
	err = s.write(ctx, func(tx transaction) error {
		f, err = scanFallback(queryRow(ctx, tx, `UPDATE fallbacks SET hash = $2, expires_at = $3 WHERE link_mail = $1 AND confirmed_at = 0 RETURNING `+fallbackColumns,
			mail, hash, toMillis(expires)))
		return err
	})
	return f, err
}

// FallbackByToken finds what is to be confirmed, by the hash of the token of a link that
// has not expired at now.
func (s *Store) FallbackByToken(ctx context.Context, hash []byte, now time.Time) (fallback.Fallback, error) {
	return fallbackByToken(ctx, s.engine, hash, now)
}

func fallbackByToken(ctx context.Context, q querier, hash []byte, now time.Time) (fallback.Fallback, error) {
	return scanFallback(queryRow(ctx, q, `SELECT `+fallbackColumns+` FROM fallbacks WHERE hash = $1 AND expires_at > $2`, hash, toMillis(now)))
}

// ConfirmFallback confirms an address, whose link works no more; guests is what was shown
// of the guests' data. It returns webhook.ErrNotFound if the link has ended, and
// webhook.ErrConflict if something else was chosen about guests' data meanwhile.
func (s *Store) ConfirmFallback(ctx context.Context, hash []byte, guests bool, now time.Time) error {
	return s.write(ctx, func(tx transaction) error {
		f, err := fallbackByToken(ctx, tx, hash, now)
		if err != nil {
			return err
		}
		if f.Guests != guests {
			return webhook.ErrConflict
		}
		w, err := s.findWebhook(ctx, tx, f.Account, f.Webhook)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE fallbacks SET hash = NULL, confirmed_at = $2, stopped_at = 0 WHERE webhook_id = $1`, f.Webhook, toMillis(now)); err != nil {
			return err
		}
		return s.auditFallback(ctx, tx, w, f.Address, "fallback.confirmed", webhook.Change{By: f.Address, At: now})
	})
}

// FallbackOf is Fallback for who has a link from a message, which says of which webhook.
func (s *Store) FallbackOf(ctx context.Context, id webhook.WebhookID) (fallback.Fallback, error) {
	return scanFallback(queryRow(ctx, s.engine, `SELECT `+fallbackColumns+` FROM fallbacks WHERE webhook_id = $1`, id))
}

// StopFallback ends what an address gets; it would have to be confirmed again. It does
// nothing if the address gets nothing.
func (s *Store) StopFallback(ctx context.Context, id webhook.WebhookID, address string, now time.Time) error {
	return s.write(ctx, func(tx transaction) error {
		f, err := scanFallback(queryRow(ctx, tx, `UPDATE fallbacks SET hash = NULL, confirmed_at = 0, stopped_at = $3, incident_id = 0, since = 0
			WHERE webhook_id = $1 AND address = $2 AND stopped_at = 0 RETURNING `+fallbackColumns, id, address, toMillis(now)))
		if err != nil {
			return ignoreNotFound(err)
		}
		w, err := s.findWebhook(ctx, tx, f.Account, id)
		if err != nil {
			return err
		}
		return s.auditFallback(ctx, tx, w, address, "fallback.stopped", webhook.Change{By: address, At: now})
	})
}

// Fallbacks lists those that are confirmed, of these webhooks and of all about which
// messages were sent.
func (s *Store) Fallbacks(ctx context.Context, failing []webhook.WebhookID) ([]fallback.Fallback, error) {
	condition, ids := anyOf("webhook_id", 1, failing)
	return list(ctx, s.engine, scanFallback, `SELECT `+fallbackColumns+` FROM fallbacks WHERE webhook_id IN (
		SELECT webhook_id FROM fallbacks WHERE `+condition+` UNION SELECT webhook_id FROM fallbacks WHERE incident_id <> 0) AND confirmed_at <> 0`, ids...)
}

// QueueFallback queues a message that is due according to what was read. It returns
// webhook.ErrConflict if another process has queued one since, or somebody changed the
// fallback, and webhook.ErrNotFound if there is nothing to list. Whether there is, is read
// first: while there is not, that is asked again and again, and must not hold the writer.
func (s *Store) QueueFallback(ctx context.Context, f fallback.Fallback, m fallback.Mail, now time.Time) error {
	if m.Last == "" {
		if err := anythingToList(ctx, s.engine, f.Account, m); err != nil {
			return err
		}
	}
	return s.write(ctx, func(tx transaction) error {
		mail, err := s.queueFallback(ctx, tx, f, m, now)
		if err != nil {
			return err
		}
		const fence = ` WHERE webhook_id = $1 AND confirmed_at = $2 AND incident_id = $3 AND queued_at = $4`
		args := []any{f.Webhook, toMillis(f.ConfirmedAt), f.Incident, toMillis(f.QueuedAt)}
		set := `incident_id = 0, since = 0`
		if m.Last == "" {
			since := m.From
			if f.Incident != 0 {
				since = f.Since
			}
			set = `incident_id = $5, since = $6, list_mail = $7, queued_at = $8, queued_until = $9`
			args = append(args, m.Incident, toMillis(since), mail, toMillis(now), toMillis(m.Until))
		}
		n, err := tx.Exec(ctx, `UPDATE fallbacks SET `+set+fence, args...)
		if err == nil && n == 0 {
			err = webhook.ErrConflict
		}
		return err
	})
}

// What a message lists: deliveries of bookings that were created from From until Until and
// are waiting or have failed in this outage, and those from before that have failed for good
// since From, when they were waiting still. The latter come from the index by when they
// failed (hence +id), and not from all that failed in the days that retries take. The
// arguments are account and webhook, the ids of From, Until and the retries before, the
// times of From (but not before Began) and Until, a number of each, and the time of Began.
const (
	undeliveredRows = `SELECT * FROM (` + undeliveredOf + `state = 'pending' AND id >= $3 AND id < $4 ORDER BY id LIMIT $8) AS pending
		UNION ALL SELECT * FROM (` + undeliveredOf + `state = 'failed' AND id >= $3 AND id < $4 AND finished_at >= $9 ORDER BY id LIMIT $8) AS failed
		UNION ALL SELECT * FROM (` + undeliveredOf + `state = 'failed' AND +id >= $5 AND +id < $3 AND finished_at >= $6 AND finished_at < $7 ORDER BY id LIMIT $8) AS given_up`
	undeliveredOf = `SELECT ` + deliveryColumns + ` FROM deliveries WHERE account_id = $1 AND webhook_id = $2 AND state <> 'delivered' AND test = 0 AND booking_id <> '' AND `
)

func undeliveredArgs(account webhook.AccountID, m fallback.Mail, limit int) []any {
	began := toMillis(m.Began)
	return []any{
		account, m.Webhook, webhook.FirstID[webhook.DeliveryID](m.From), webhook.FirstID[webhook.DeliveryID](m.Until),
		webhook.FirstID[webhook.DeliveryID](m.From.Add(-webhook.FailingLimit)), max(toMillis(m.From), began), toMillis(m.Until), limit, began,
	}
}

// anythingToList returns webhook.ErrNotFound if a message would list nothing. While the
// webhook is off, events may be skipped: which of them is found out when it is sent.
func anythingToList(ctx context.Context, q querier, account webhook.AccountID, m fallback.Mail) error {
	var found bool
	err := queryRow(ctx, q, `SELECT EXISTS (`+undeliveredRows+`) OR EXISTS (SELECT 1 FROM webhooks w WHERE w.id = $2 AND w.enabled = 0
			AND EXISTS (SELECT 1 FROM events e WHERE e.account_id = $1 AND e.id >= $3 AND e.id < $4))`, undeliveredArgs(account, m, 1)...).Scan(&found)
	if err == nil && !found {
		err = webhook.ErrNotFound
	}
	return err
}

// ListedDeliveries returns the deliveries that a message lists, the oldest first, with
// limit at most, and how many there are.
func (s *Store) ListedDeliveries(ctx context.Context, account webhook.AccountID, m fallback.Mail, limit int) (rows []webhook.Delivery, all webhook.Count, err error) {
	query, args, most := undeliveredRows, undeliveredArgs(account, m, webhook.CountCap+1), 7
	if m.Last != "" { // what became of them
		query = `SELECT ` + deliveryColumns + ` FROM deliveries WHERE account_id = $1 AND webhook_id = $2 AND id >= $3 AND id < $4 AND test = 0 AND booking_id <> ''
			AND (state = 'pending' OR finished_at >= $6 AND (state <> 'delivered' OR finished_at - created_at > 60000)) ORDER BY id LIMIT $5`
		args, most = append(args[:4:4], webhook.CountCap+1, toMillis(m.Began)), 4
	}
	if err := queryRow(ctx, s.engine, `SELECT count(*) FROM (`+query+`) AS listed`, args...).Scan(&all.N); err != nil {
		return nil, all, err
	}
	if all.More = all.N > webhook.CountCap; all.More {
		all.N = webhook.CountCap
	}
	args[most] = limit
	rows, err = list(ctx, s.engine, scanDelivery, `SELECT * FROM (`+query+`) AS listed ORDER BY id`, args...)
	return rows[:min(len(rows), limit)], all, err
}
