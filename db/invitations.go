package db

import (
	"context"
	"time"

	"bookhook/webhook"
)

const invitationColumns = `id, account_id, email, role, created_by, created_at, expires_at`

func scanInvitation(r scanner) (i webhook.Invitation, err error) {
	err = r.Scan(&i.ID, &i.Account, &i.Email, &i.Role, &i.CreatedBy, timeScanner{&i.CreatedAt}, timeScanner{&i.ExpiresAt})
	return i, err
}

// roomForInvitation returns webhook.LimitReached if the account had Bookhook send
// webhook.MaxInvitations within a day, or webhook.MaxInvitationsTo to the address. It
// locks the account.
func roomForInvitation(ctx context.Context, tx transaction, account webhook.AccountID, to string, now time.Time) error {
	return roomForMail(ctx, tx, webhook.Mail{Account: account, To: to, Kind: webhook.MailInvitation, CreatedAt: now},
		webhook.LimitReached{What: webhook.LimitedInvitations, Limit: webhook.MaxInvitations, Wait: webhook.InvitationsWithin},
		webhook.LimitReached{What: webhook.LimitedInvitationsTo, Limit: webhook.MaxInvitationsTo, Wait: webhook.InvitationsWithin})
}

// roomForMail returns one of the limits if the account had Bookhook send as many messages
// of the kind, or as many of them to the address, within the limit's time. It locks the
// account.
func roomForMail(ctx context.Context, tx transaction, m webhook.Mail, all, same webhook.LimitReached) error {
	if err := lockAccount(ctx, tx, m.Account); err != nil {
		return err
	}
	since := m.CreatedAt.Add(-all.Wait)
	err := queryRow(ctx, tx, `SELECT count(*), count(CASE WHEN recipient = $2 THEN 1 END) FROM outbox
		WHERE account_id = $1 AND id >= $3 AND kind = $4 AND created_at > $5`,
		m.Account, m.To, webhook.FirstID[webhook.MailID](since), string(m.Kind), toMillis(since)).Scan(&all.Used, &same.Used)
	if err != nil {
		return err
	}
	for _, most := range []webhook.LimitReached{same, all} {
		if most.Used >= most.Limit {
			most.Over = 1
			return most
		}
	}
	return nil
}

// AddInvitation invites somebody; of i, Account, Email and Role count. It returns
// webhook.Invalid if the address is a user's of the account or has an invitation of it,
// and webhook.LimitReached if the account has webhook.MaxPeople, those who are
// invited included, or as roomForInvitation says. An address that signs in to another
// account is like any other, so that nobody finds out which do: its message says so.
func (s *Store) AddInvitation(ctx context.Context, i webhook.Invitation, change webhook.Change) (webhook.Invitation, error) {
	i.ID, i.CreatedBy, i.CreatedAt = webhook.InvitationID(s.nextID()), change.By, roundMillis(change.At)
	i.ExpiresAt, i.State = i.CreatedAt.Add(webhook.InvitationTerm), webhook.MailWaiting
	most := webhook.LimitReached{What: webhook.LimitedPeople, Limit: webhook.MaxPeople}
	err := s.write(ctx, func(tx transaction) error {
		if err := checkRoom(ctx, tx, i.Account, most, `SELECT (SELECT count(*) FROM users WHERE account_id = $1) + (SELECT count(*) FROM invitations WHERE account_id = $1)`); err != nil {
			return err
		}
		var taken bool
		if err := queryRow(ctx, tx, `SELECT EXISTS (SELECT 1 FROM users WHERE email = $1 AND account_id = $2)`, i.Email, i.Account).Scan(&taken); err != nil {
			return err
		}
		if taken {
			return webhook.Invalid{"email": webhook.NewMessage("email.taken")}
		}
		if err := roomForInvitation(ctx, tx, i.Account, i.Email, i.CreatedAt); err != nil {
			return err
		}
		mail, err := s.enqueue(ctx, tx, webhook.Mail{Account: i.Account, To: i.Email, Kind: webhook.MailInvitation}, i.CreatedAt)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO invitations (id, account_id, email, role, mail_id, created_by, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			i.ID, i.Account, i.Email, string(i.Role), mail, i.CreatedBy, toMillis(i.CreatedAt), toMillis(i.ExpiresAt))
		if s.engine.IsUnique(err) {
			return webhook.Invalid{"email": webhook.NewMessage("invitation.exists")}
		}
		if err != nil {
			return err
		}
		return s.auditInvitation(ctx, tx, i, change, "invitation.sent", string(i.Role))
	})
	return i, err
}

func (s *Store) auditInvitation(ctx context.Context, tx transaction, i webhook.Invitation, change webhook.Change, action string, args ...string) error {
	return s.audit(ctx, tx, webhook.AuditEntry{Account: i.Account, Change: change, Action: action, Subject: i.ID.String(), Args: append([]string{i.Email}, args...)})
}

// Invitations lists the invitations of an account in the order they were added.
func (s *Store) Invitations(ctx context.Context, account webhook.AccountID) ([]webhook.Invitation, error) {
	scan := func(r scanner) (i webhook.Invitation, err error) {
		err = r.Scan(&i.ID, &i.Account, &i.Email, &i.Role, &i.CreatedBy, timeScanner{&i.CreatedAt}, timeScanner{&i.ExpiresAt}, &i.State, messageScanner{&i.Problem})
		return i, err
	}
	return list(ctx, s.engine, scan, `SELECT `+invitationColumns+`,
			COALESCE((SELECT o.state FROM outbox o WHERE o.id = mail_id), ''), COALESCE((SELECT o.problem FROM outbox o WHERE o.id = mail_id), '')
		FROM invitations WHERE account_id = $1 ORDER BY id`, account)
}

// SendInvitation sends an invitation again, with a new term; its last link works
// until the new one is sent. It returns webhook.LimitReached as roomForInvitation says.
func (s *Store) SendInvitation(ctx context.Context, account webhook.AccountID, id webhook.InvitationID, change webhook.Change) (i webhook.Invitation, err error) {
	err = s.write(ctx, func(tx transaction) error {
		i, err = scanInvitation(queryRow(ctx, tx, `SELECT `+invitationColumns+` FROM invitations WHERE account_id = $1 AND id = $2`, account, id))
		if err != nil {
			return err
		}
		if err := roomForInvitation(ctx, tx, account, i.Email, change.At); err != nil {
			return err
		}
		mail, err := s.enqueue(ctx, tx, webhook.Mail{Account: account, To: i.Email, Kind: webhook.MailInvitation}, change.At)
		if err != nil {
			return err
		}
		i.ExpiresAt = roundMillis(change.At).Add(webhook.InvitationTerm)
		if _, err := tx.Exec(ctx, `UPDATE invitations SET mail_id = $2, expires_at = $3 WHERE id = $1`, id, mail, toMillis(i.ExpiresAt)); err != nil {
			return err
		}
		return s.auditInvitation(ctx, tx, i, change, "invitation.again")
	})
	return i, err
}

// WithdrawInvitation deletes an invitation; its link no longer works.
func (s *Store) WithdrawInvitation(ctx context.Context, account webhook.AccountID, id webhook.InvitationID, change webhook.Change) (i webhook.Invitation, err error) {
	err = s.write(ctx, func(tx transaction) error {
		i, err = scanInvitation(queryRow(ctx, tx, `DELETE FROM invitations WHERE account_id = $1 AND id = $2 RETURNING `+invitationColumns, account, id))
		if err != nil {
			return err
		}
		return s.auditInvitation(ctx, tx, i, change, "invitation.withdrawn")
	})
	return i, err
}

// withdrawInvitationsBy deletes the invitations that a user sent, of whatever account: the
// e-mail address is that of one user.
func (s *Store) withdrawInvitationsBy(ctx context.Context, tx transaction, email string, change webhook.Change) error {
	withdrawn, err := list(ctx, tx, scanInvitation, `DELETE FROM invitations WHERE created_by = $1 RETURNING `+invitationColumns, email)
	for _, i := range withdrawn {
		if err == nil {
			err = s.auditInvitation(ctx, tx, i, change, "invitation.withdrawn")
		}
	}
	return err
}

// SetInvitationToken stores the hash of the token in a message that is about to be
// sent, in place of the one before it. It returns webhook.ErrNotFound if the message
// is no longer the last one of an invitation.
func (s *Store) SetInvitationToken(ctx context.Context, mail webhook.MailID, hash []byte, expires time.Time) (i webhook.Invitation, err error) {
	err = s.write(ctx, func(tx transaction) error {
		i, err = scanInvitation(queryRow(ctx, tx, `UPDATE invitations SET hash = $2, expires_at = $3 WHERE mail_id = $1 RETURNING `+invitationColumns,
			mail, hash, toMillis(expires)))
		return err
	})
	return i, err
}

// InvitationByToken finds an invitation that has not expired at now by the hash of
// its token.
func (s *Store) InvitationByToken(ctx context.Context, hash []byte, now time.Time) (webhook.Invitation, error) {
	return invitationByToken(ctx, s.engine, hash, now)
}

func invitationByToken(ctx context.Context, q querier, hash []byte, now time.Time) (webhook.Invitation, error) {
	return scanInvitation(queryRow(ctx, q, `SELECT `+invitationColumns+` FROM invitations WHERE hash = $1 AND expires_at > $2`, hash, toMillis(now)))
}

// AcceptInvitation makes who was invited a user, with a password, and ends the
// invitation. It returns webhook.ErrNotFound if the invitation has ended, and
// webhook.Invalid if its address signs in already.
func (s *Store) AcceptInvitation(ctx context.Context, hash []byte, passwordHash string, now time.Time) (u webhook.User, err error) {
	err = s.write(ctx, func(tx transaction) error {
		i, err := invitationByToken(ctx, tx, hash, now)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM invitations WHERE id = $1`, i.ID); err != nil {
			return err
		}
		u, err = s.addUser(ctx, tx, webhook.User{Account: i.Account, Email: i.Email, PasswordHash: passwordHash, Role: i.Role}, webhook.Change{By: i.Email, At: now})
		return err
	})
	return u, err
}
