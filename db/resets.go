package db

import (
	"context"
	"time"

	"bookhook/webhook"
)

// RequestReset queues a link for a new password to an address, whether or not it is a
// user's. It returns webhook.ErrBusy if webhook.MaxWaitingResets are waiting.
func (s *Store) RequestReset(ctx context.Context, email string, now time.Time) error {
	return s.write(ctx, func(tx transaction) error {
		var waiting int
		err := queryRow(ctx, tx, `SELECT count(*) FROM (SELECT 1 FROM outbox WHERE state = 'waiting' AND kind = $1 LIMIT $2) AS counted`,
			string(webhook.MailReset), webhook.MaxWaitingResets).Scan(&waiting)
		if err == nil && waiting >= webhook.MaxWaitingResets {
			err = webhook.ErrBusy
		}
		if err != nil {
			return err
		}
		_, err = s.enqueue(ctx, tx, webhook.Mail{To: email, Kind: webhook.MailReset}, now)
		return err
	})
}

// StartReset stores the hash of the token in a message with a link for a new
// password, which is about to be sent, and says of the message whom it is for. The
// user's links before it go on working: otherwise whoever knows the address could end
// each at once. It returns webhook.ErrNotFound if nobody signs in with the address of
// the message, or if the user got webhook.MaxResets in the term before it.
func (s *Store) StartReset(ctx context.Context, m webhook.Mail, hash []byte, expires time.Time) (u webhook.User, err error) {
	err = s.write(ctx, func(tx transaction) error {
		u, err = scanUser(queryRow(ctx, tx, `SELECT `+userColumns+` FROM users WHERE email = $1`, m.To))
		if err != nil {
			return err
		}
		var got int
		since := m.CreatedAt.Add(-webhook.ResetTerm)
		err = queryRow(ctx, tx, `SELECT count(*) FROM outbox WHERE id >= $1 AND id <> $2 AND user_id = $3 AND kind = $4 AND created_at > $5`,
			webhook.FirstID[webhook.MailID](since), m.ID, u.ID, string(webhook.MailReset), toMillis(since)).Scan(&got)
		if err == nil && got >= webhook.MaxResets {
			err = webhook.ErrNotFound
		}
		if err != nil {
			return err
		}
		_, err = execAll(ctx, tx, []statement{
			{`INSERT INTO password_resets (hash, user_id, expires_at) VALUES ($1, $2, $3)`, []any{hash, u.ID, toMillis(expires)}},
			{`UPDATE outbox SET account_id = $2, user_id = $3 WHERE id = $1`, []any{m.ID, nullID(u.Account), u.ID}},
		})
		return err
	})
	return u, err
}

// UserByReset finds the user who has a link for a new password that has not expired
// at now, by the hash of its token.
func (s *Store) UserByReset(ctx context.Context, hash []byte, now time.Time) (webhook.User, error) {
	return userByReset(ctx, s.engine, hash, now)
}

func userByReset(ctx context.Context, q querier, hash []byte, now time.Time) (webhook.User, error) {
	return scanUser(queryRow(ctx, q, `SELECT `+userColumns+` FROM users
		WHERE id = (SELECT user_id FROM password_resets WHERE hash = $1 AND expires_at > $2)`, hash, toMillis(now)))
}

// ResetPassword sets the password of the user who has the link, and ends all links
// and sessions of the user. It returns webhook.ErrNotFound if the link has ended.
func (s *Store) ResetPassword(ctx context.Context, hash []byte, passwordHash string, now time.Time) error {
	return s.write(ctx, func(tx transaction) error {
		u, err := userByReset(ctx, tx, hash, now)
		if err != nil {
			return err
		}
		if _, err := setPassword(ctx, tx, u.ID, passwordHash, nil); err != nil {
			return err
		}
		return s.audit(ctx, tx, webhook.AuditEntry{
			Account: u.Account, Change: webhook.Change{By: u.Email, At: now}, Action: "user.reset", Subject: u.ID.String(), Args: []string{u.Email},
		})
	})
}
