package db

import (
	"cmp"
	"context"
	"time"

	"bookhook/webhook"
)

// Enqueue adds messages to the outbox; of each, Account, User, To, Kind, Args and
// NextAt count. They are due at NextAt, but not before now.
func (s *Store) Enqueue(ctx context.Context, now time.Time, messages ...webhook.Mail) error {
	return s.write(ctx, func(tx transaction) error {
		for _, m := range messages {
			if _, err := s.enqueue(ctx, tx, m, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// enqueue is Enqueue of one message, in the transaction of the fact that causes it.
func (s *Store) enqueue(ctx context.Context, tx transaction, m webhook.Mail, now time.Time) (webhook.MailID, error) {
	id := webhook.MailID(s.nextID())
	_, err := tx.Exec(ctx, `INSERT INTO outbox (id, account_id, user_id, recipient, kind, args, state, next_at, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		id, nullID(m.Account), nullID(m.User), m.To, string(m.Kind), cmp.Or(string(m.Args), "{}"), string(webhook.MailWaiting),
		max(toMillis(m.NextAt), toMillis(now)), toMillis(now))
	tx.queued = true
	tx.announce(0, 0, webhook.TouchMail)
	return id, err
}

const mailColumns = `id, COALESCE(account_id, 0), COALESCE(user_id, 0), recipient, kind, args, state, attempts, next_at, problem, created_at, finished_at`

func scanMail(r scanner) (m webhook.Mail, err error) {
	var args string
	err = r.Scan(&m.ID, &m.Account, &m.User, &m.To, &m.Kind, &args, &m.State, &m.Attempts, timeScanner{&m.NextAt}, messageScanner{&m.Problem},
		timeScanner{&m.CreatedAt}, timeScanner{&m.FinishedAt})
	m.Args = []byte(args)
	return m, err
}

// ClaimMail takes the message that has been due the longest, for an attempt that
// counts as cut off at lease. It returns webhook.ErrNotFound if none is due, or if
// another process took it just now.
func (s *Store) ClaimMail(ctx context.Context, now, lease time.Time) (m webhook.Mail, err error) {
	err = s.write(ctx, func(tx transaction) error {
		m, err = scanMail(queryRow(ctx, tx, `UPDATE outbox SET attempts = attempts + 1, next_at = $2
			WHERE id = (SELECT id FROM outbox WHERE state = 'waiting' AND next_at <= $1 ORDER BY next_at LIMIT 1)
				AND state = 'waiting' AND next_at <= $1
			RETURNING `+mailColumns, toMillis(now), toMillis(lease)))
		return err
	})
	return m, err
}

// FinishMail stores what became of the attempt of a message that was claimed: its
// State, NextAt, Problem and FinishedAt. It does nothing if another process has
// claimed the message since. The account remembers that a message was sent, and a
// fallback what was listed.
func (s *Store) FinishMail(ctx context.Context, m webhook.Mail) error {
	return s.write(ctx, func(tx transaction) error {
		n, err := tx.Exec(ctx, `UPDATE outbox SET state = $3, next_at = $4, problem = $5, finished_at = $6
			WHERE id = $1 AND attempts = $2 AND state = 'waiting'`,
			m.ID, m.Attempts, string(m.State), toMillis(m.NextAt), messageJSON(m.Problem), toMillis(m.FinishedAt))
		if err != nil || n == 0 || m.State != webhook.MailSent {
			return err
		}
		if m.Kind == webhook.MailFallback {
			if _, err := tx.Exec(ctx, `UPDATE fallbacks SET listed = queued_until WHERE list_mail = $1`, m.ID); err != nil {
				return err
			}
		}
		return markMailSent(ctx, tx, m.Account)
	})
}

// AddTestMail adds a test message to the outbox, of which it is known what became: of m,
// Account, User, To and Problem count.
func (s *Store) AddTestMail(ctx context.Context, m webhook.Mail, now time.Time) error {
	m.Kind = webhook.MailTest
	return s.write(ctx, func(tx transaction) error {
		id, err := s.enqueue(ctx, tx, m, now)
		if err != nil {
			return err
		}
		state := webhook.MailSent
		if !m.Problem.IsZero() {
			state = webhook.MailFailed
		}
		_, err = tx.Exec(ctx, `UPDATE outbox SET attempts = 1, state = $2, next_at = 0, problem = $3, finished_at = $4 WHERE id = $1`,
			id, string(state), messageJSON(m.Problem), toMillis(now))
		if err != nil || state != webhook.MailSent {
			return err
		}
		return markMailSent(ctx, tx, m.Account)
	})
}

func markMailSent(ctx context.Context, tx transaction, account webhook.AccountID) error {
	_, err := tx.Exec(ctx, `UPDATE accounts SET mail_sent = 1 WHERE id = $1 AND mail_sent = 0`, account)
	return err
}

// DropMail deletes a message that was claimed: what it was about no longer exists.
func (s *Store) DropMail(ctx context.Context, m webhook.Mail) error {
	return s.write(ctx, func(tx transaction) error {
		_, err := tx.Exec(ctx, `DELETE FROM outbox WHERE id = $1 AND attempts = $2 AND state = 'waiting'`, m.ID, m.Attempts)
		return err
	})
}

// NextMail returns when the next message is due, or webhook.ErrNotFound if none is
// waiting.
func (s *Store) NextMail(ctx context.Context) (at time.Time, err error) {
	err = queryRow(ctx, s.engine, `SELECT next_at FROM outbox WHERE state = 'waiting' ORDER BY next_at LIMIT 1`).Scan(timeScanner{&at})
	return at, err
}

// Mails lists the messages of an account, the newest first, beginning below the id
// before (0: with the newest).
func (s *Store) Mails(ctx context.Context, account webhook.AccountID, before webhook.MailID, limit int) ([]webhook.Mail, error) {
	return list(ctx, s.engine, scanMail, `SELECT `+mailColumns+` FROM outbox WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`,
		account, beforeOrNewest(before), limit)
}

// AllMails lists the messages of the instance, as Mails does.
func (s *Store) AllMails(ctx context.Context, before webhook.MailID, limit int) ([]webhook.Mail, error) {
	return list(ctx, s.engine, scanMail, `SELECT `+mailColumns+` FROM outbox WHERE id < $1 ORDER BY id DESC LIMIT $2`, beforeOrNewest(before), limit)
}
