package db

import (
	"context"
	"time"

	"bookhook/auth"
	"bookhook/db/group"
	"bookhook/webhook"
)

const userColumns = `id, COALESCE(account_id, 0), email, password_hash, role, created_at`

func scanUser(r scanner) (u webhook.User, err error) {
	err = r.Scan(&u.ID, &u.Account, &u.Email, &u.PasswordHash, &u.Role, timeScanner{&u.CreatedAt})
	return u, err
}

// HasUsers reports whether set-up is over.
func (s *Store) HasUsers(ctx context.Context) (bool, error) {
	var any bool
	err := queryRow(ctx, s.engine, `SELECT EXISTS (SELECT 1 FROM users)`).Scan(&any)
	return any, err
}

// AddUser creates a user. It returns webhook.Invalid if the e-mail address is taken,
// and webhook.LimitReached if the account has webhook.MaxPeople.
func (s *Store) AddUser(ctx context.Context, u webhook.User, change webhook.Change) (webhook.User, error) {
	err := s.write(ctx, func(tx transaction) (err error) {
		u, err = s.addUser(ctx, tx, u, change)
		return err
	})
	return u, err
}

func (s *Store) addUser(ctx context.Context, tx transaction, u webhook.User, change webhook.Change) (webhook.User, error) {
	u.ID, u.CreatedAt = webhook.UserID(s.nextID()), roundMillis(change.At)
	if u.Account != 0 {
		most := webhook.LimitReached{What: webhook.LimitedPeople, Limit: webhook.MaxPeople}
		if err := checkRoom(ctx, tx, u.Account, most, `SELECT count(*) FROM users WHERE account_id = $1`); err != nil {
			return u, err
		}
	}
	_, err := tx.Exec(ctx, `INSERT INTO users (id, account_id, email, password_hash, role, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		u.ID, nullID(u.Account), u.Email, u.PasswordHash, string(u.Role), toMillis(u.CreatedAt))
	if s.engine.IsUnique(err) {
		return u, webhook.Invalid{"email": webhook.NewMessage("email.taken")}
	}
	if err != nil {
		return u, err
	}
	return u, s.audit(ctx, tx, webhook.AuditEntry{
		Account: u.Account, Change: change, Action: "user.added", Subject: u.ID.String(), Args: []string{u.Email, string(u.Role)},
	})
}

// User finds a user by id.
func (s *Store) User(ctx context.Context, id webhook.UserID) (webhook.User, error) {
	return scanUser(queryRow(ctx, s.engine, `SELECT `+userColumns+` FROM users WHERE id = $1`, id))
}

// UserByEmail finds a user by e-mail address, in lower case.
func (s *Store) UserByEmail(ctx context.Context, email string) (webhook.User, error) {
	return scanUser(queryRow(ctx, s.engine, `SELECT `+userColumns+` FROM users WHERE email = $1`, email))
}

// Users lists the users of an account in the order they were added.
func (s *Store) Users(ctx context.Context, account webhook.AccountID) ([]webhook.User, error) {
	return list(ctx, s.engine, scanUser, `SELECT `+userColumns+` FROM users WHERE account_id = $1 ORDER BY id`, account)
}

// AllUsers lists the users of all accounts and those without one, in the order
// they were added.
func (s *Store) AllUsers(ctx context.Context) ([]webhook.User, error) {
	return list(ctx, s.engine, scanUser, `SELECT `+userColumns+` FROM users ORDER BY id`)
}

// RemoveUser removes a user of an account, signs them out everywhere, and withdraws the
// invitations that they sent: by one to an address of their own they could come back.
// Account 0 is for users without one.
func (s *Store) RemoveUser(ctx context.Context, account webhook.AccountID, id webhook.UserID, change webhook.Change) error {
	return s.write(ctx, func(tx transaction) error {
		var email string
		if err := queryRow(ctx, tx, `DELETE FROM users WHERE COALESCE(account_id, 0) = $1 AND id = $2 RETURNING email`, account, id).Scan(&email); err != nil {
			return err
		}
		if err := s.withdrawInvitationsBy(ctx, tx, email, change); err != nil {
			return err
		}
		return s.audit(ctx, tx, webhook.AuditEntry{Account: account, Change: change, Action: "user.removed", Subject: id.String(), Args: []string{email}})
	})
}

// SetRole changes the role of a user of an account. One who may configure no longer loses
// the invitations that they sent, too: by one to an address of their own they could go on.
func (s *Store) SetRole(ctx context.Context, account webhook.AccountID, id webhook.UserID, role webhook.Role, change webhook.Change) error {
	return s.write(ctx, func(tx transaction) error {
		var email string
		if err := queryRow(ctx, tx, `UPDATE users SET role = $3 WHERE COALESCE(account_id, 0) = $1 AND id = $2 RETURNING email`,
			account, id, string(role)).Scan(&email); err != nil {
			return err
		}
		if !role.CanConfigure() {
			if err := s.withdrawInvitationsBy(ctx, tx, email, change); err != nil {
				return err
			}
		}
		return s.audit(ctx, tx, webhook.AuditEntry{
			Account: account, Change: change, Action: "user.role", Subject: id.String(), Args: []string{email, string(role)},
		})
	})
}

// SetPassword changes a user's password and ends their sessions but the one
// with the hash keep, and their links for a new password.
func (s *Store) SetPassword(ctx context.Context, id webhook.UserID, passwordHash string, keep []byte, change webhook.Change) error {
	return s.write(ctx, func(tx transaction) error {
		u, err := setPassword(ctx, tx, id, passwordHash, keep)
		if err != nil {
			return err
		}
		return s.audit(ctx, tx, webhook.AuditEntry{Account: u.Account, Change: change, Action: "user.password", Subject: id.String(), Args: []string{u.Email}})
	})
}

func setPassword(ctx context.Context, tx transaction, id webhook.UserID, passwordHash string, keep []byte) (webhook.User, error) {
	u, err := scanUser(queryRow(ctx, tx, `UPDATE users SET password_hash = $2 WHERE id = $1 RETURNING `+userColumns, id, passwordHash))
	if err != nil {
		return u, err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM password_resets WHERE user_id = $1`, id); err != nil {
		return u, err
	}
	return u, endSessions(ctx, tx, id, keep)
}

// Session finds a session that has not expired at now by its hash.
func (s *Store) Session(ctx context.Context, hash []byte, now time.Time) (v auth.Session, err error) {
	err = queryRow(ctx, s.engine, `SELECT COALESCE(user_id, 0), data, expires_at FROM sessions WHERE hash = $1 AND expires_at > $2`,
		hash, toMillis(now)).Scan(&v.User, &v.Data, timeScanner{&v.ExpiresAt})
	return v, err
}

// SessionUser finds whose session that has not expired at now it is (0: nobody's), by its
// hash. Streams ask again and again, so it leaves the data out.
func (s *Store) SessionUser(ctx context.Context, hash []byte, now time.Time) (id webhook.UserID, err error) {
	err = queryRow(ctx, s.engine, `SELECT COALESCE(user_id, 0) FROM sessions WHERE hash = $1 AND expires_at > $2`, hash, toMillis(now)).Scan(&id)
	return id, err
}

// AddSession starts a session; old is the hash it had before, nil for none. It
// returns webhook.ErrNotFound if the user's password is no longer v.Password: it
// was changed while it was checked, and that ends all sessions. An empty
// v.Password is not compared.
func (s *Store) AddSession(ctx context.Context, hash, old []byte, v auth.Session) error {
	return s.write(ctx, func(tx transaction) error {
		if v.Password != "" {
			u, err := scanUser(queryRow(ctx, tx, `SELECT `+userColumns+` FROM users WHERE id = $1`, v.User))
			if err != nil {
				return err
			}
			if u.PasswordHash != v.Password {
				return webhook.ErrNotFound
			}
		}
		if old != nil {
			if _, err := tx.Exec(ctx, `DELETE FROM sessions WHERE hash = $1`, old); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `INSERT INTO sessions (hash, user_id, data, expires_at) VALUES ($1, $2, $3, $4)`,
			hash, nullID(v.User), v.Data, toMillis(v.ExpiresAt))
		return err
	})
}

// UpdateSession writes a session that was started. A session that was ended
// meanwhile stays ended, which is not an error.
func (s *Store) UpdateSession(ctx context.Context, hash []byte, v auth.Session) error {
	return s.write(ctx, func(tx transaction) error {
		_, err := tx.Exec(ctx, `UPDATE sessions SET data = $2, expires_at = $3 WHERE hash = $1`, hash, v.Data, toMillis(v.ExpiresAt))
		return err
	})
}

// EndSession removes a session.
func (s *Store) EndSession(ctx context.Context, hash []byte) error {
	return s.write(ctx, func(tx transaction) error {
		_, err := tx.Exec(ctx, `DELETE FROM sessions WHERE hash = $1`, hash)
		return err
	})
}

// EndSessions signs a user out everywhere but in the session with the hash
// keep (nil: there too).
func (s *Store) EndSessions(ctx context.Context, user webhook.UserID, keep []byte) error {
	return s.write(ctx, func(tx transaction) error { return endSessions(ctx, tx, user, keep) })
}

func endSessions(ctx context.Context, tx transaction, user webhook.UserID, keep []byte) error {
	if keep == nil {
		keep = []byte{}
	}
	_, err := tx.Exec(ctx, `DELETE FROM sessions WHERE user_id = $1 AND hash <> $2`, user, keep)
	return err
}

// activeTries selects the counts that reached their limit.
const activeTries = `SELECT count(*) FROM tries WHERE since >= $1 AND (key = $2 AND n >= $3 OR key = $4 AND n >= $5)`

const countTry = `INSERT INTO tries (key, n, since) VALUES ($1, 1, $2) ON CONFLICT (key) DO UPDATE SET
	n = CASE WHEN tries.since < $3 THEN 1 ELSE tries.n + 1 END, since = CASE WHEN tries.since < $3 THEN excluded.since ELSE tries.since END`

// CountTry counts an attempt under its name and its network, unless one of them had its
// limit, and reports whether it did.
func (s *Store) CountTry(ctx context.Context, t auth.Try) (counted bool, err error) {
	if counted, err = mayTry(ctx, s.engine, t); err != nil || !counted {
		return false, err // without a write: most of those of a guesser end here
	}
	err = s.writeInTurn(ctx, group.Turn{Later: true, Alongside: tryKey(t.Network)}, func(tx transaction) error {
		if counted, err = mayTry(ctx, tx, t); err != nil || !counted {
			return err
		}
		_, err := execAll(ctx, tx, []statement{
			{countTry, []any{t.Name, toMillis(t.At), toMillis(t.Since)}},
			{countTry, []any{t.Network, toMillis(t.At), toMillis(t.Since)}},
		})
		return err
	})
	return counted, err
}

// tryKey is the hash of the network of attempts, which are counted one after the other.
type tryKey string

func mayTry(ctx context.Context, q querier, t auth.Try) (bool, error) {
	var full int
	err := queryRow(ctx, q, activeTries, toMillis(t.Since), t.Name, t.MaxName, t.Network, t.MaxNetwork).Scan(&full)
	return full == 0, err
}

// ForgetTries deletes the counts of attempts that began before a time.
func (s *Store) ForgetTries(ctx context.Context, before time.Time) error {
	_, err := s.inSteps(ctx, `DELETE FROM tries WHERE key IN (SELECT key FROM tries WHERE since < $1 ORDER BY since LIMIT $2)`, toMillis(before), stepRows)
	return err
}

// ForgiveTry forgets the attempts with a name, and one of its network.
func (s *Store) ForgiveTry(ctx context.Context, t auth.Try) error {
	return s.write(ctx, func(tx transaction) error {
		_, err := execAll(ctx, tx, []statement{
			{`DELETE FROM tries WHERE key = $1`, []any{t.Name}},
			{`UPDATE tries SET n = n - 1 WHERE key = $1 AND n > 0`, []any{t.Network}},
		})
		return err
	})
}
