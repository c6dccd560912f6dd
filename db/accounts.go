package db

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"bookhook/webhook"
)

const accountColumns = `a.id, a.number, a.name, a.time_zone, a.webhook_limit, a.created_at`

func scanAccount(r scanner) (a webhook.Account, err error) {
	err = r.Scan(&a.ID, &a.Number, &a.Name, &a.TimeZone, &a.WebhookLimit, timeScanner{&a.CreatedAt})
	return a, err
}

// Setup creates the first account and its admin, in one transaction. It returns
// webhook.ErrConflict if there is any user.
func (s *Store) Setup(ctx context.Context, a webhook.Account, u webhook.User, change webhook.Change) (webhook.Account, webhook.User, error) {
	var created webhook.Account
	err := s.write(ctx, func(tx transaction) error {
		var users int
		if err := queryRow(ctx, tx, `SELECT count(*) FROM users`).Scan(&users); err != nil {
			return err
		}
		if users > 0 {
			return webhook.ErrConflict
		}
		var err error
		if created, err = s.addAccount(ctx, tx, a, change); err != nil {
			return err
		}
		u.Account = created.ID
		u, err = s.addUser(ctx, tx, u, change)
		return err
	})
	return created, u, err
}

// AddAccount creates an account; number 0 takes the next free one. It returns
// webhook.Invalid if the number is taken.
func (s *Store) AddAccount(ctx context.Context, a webhook.Account, change webhook.Change) (webhook.Account, error) {
	var created webhook.Account
	err := s.write(ctx, func(tx transaction) (err error) {
		created, err = s.addAccount(ctx, tx, a, change)
		return err
	})
	return created, err
}

func (s *Store) addAccount(ctx context.Context, tx transaction, a webhook.Account, change webhook.Change) (webhook.Account, error) {
	a.ID, a.CreatedAt = webhook.AccountID(s.nextID()), roundMillis(change.At)
	if a.Number == 0 {
		if err := queryRow(ctx, tx, `SELECT COALESCE(MAX(number), 0) + 1 FROM accounts`).Scan(&a.Number); err != nil {
			return a, err
		}
	}
	_, err := tx.Exec(ctx, `INSERT INTO accounts (id, number, name, time_zone, webhook_limit, revision, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		a.ID, a.Number, a.Name, a.TimeZone, a.WebhookLimit, s.nextID(), toMillis(a.CreatedAt))
	if err != nil {
		return a, s.numberTaken(err, a.Number)
	}
	if err := s.insertConnection(ctx, tx, a.ID, webhook.DefaultPlatform); err != nil {
		return a, err
	}
	return a, s.audit(ctx, tx, webhook.AuditEntry{Account: a.ID, Change: change, Action: "account.created", Subject: a.ID.String(), Args: []string{a.Name}})
}

func (s *Store) numberTaken(err error, number int64) error {
	if s.engine.IsUnique(err) {
		return webhook.Invalid{"number": webhook.NewMessage("number.taken", number)}
	}
	return err
}

// Account finds an account by its id.
func (s *Store) Account(ctx context.Context, id webhook.AccountID) (webhook.Account, error) {
	return scanAccount(queryRow(ctx, s.engine, `SELECT `+accountColumns+` FROM accounts a WHERE a.id = $1`, id))
}

// AccountByNumber finds an account by its number.
func (s *Store) AccountByNumber(ctx context.Context, number int64) (webhook.Account, error) {
	return scanAccount(queryRow(ctx, s.engine, `SELECT `+accountColumns+` FROM accounts a WHERE a.number = $1`, number))
}

// Accounts lists all accounts of the instance by number.
func (s *Store) Accounts(ctx context.Context) ([]webhook.AccountUse, error) {
	return s.AccountsAfter(ctx, 0, math.MaxInt32)
}

// attention counts the webhooks of account a for which webhook.Status.NeedsAttention is
// true.
var attention = fmt.Sprintf(`(SELECT count(*) FROM webhooks w WHERE w.account_id = a.id AND `+needsAttention+`)`, webhook.FailingAfter.Milliseconds())

// needsAttention is the condition of such webhooks w, with the index of them.
const needsAttention = `w.deleted_at = 0 AND (w.failing_since <> 0 OR w.off_reason IN ('gone', 'failing'))
	AND (w.enabled = 0 AND w.off_reason <> 'user' OR w.enabled = 1 AND (w.circuit_probe_at <> 0 OR w.failed_at - w.failing_since >= %d))`

var selectAccounts = `SELECT ` + accountColumns + `,
		(SELECT count(*) FROM webhooks w WHERE w.account_id = a.id AND w.kind = 'async' AND w.deleted_at = 0),
		(SELECT count(*) FROM users u WHERE u.account_id = a.id), ` + attention + `
	FROM accounts a WHERE `

var accountsInNeed = selectAccounts + fmt.Sprintf(`a.id IN (SELECT w.account_id FROM webhooks w WHERE `+needsAttention+`) ORDER BY a.number LIMIT $1`,
	webhook.FailingAfter.Milliseconds())

func scanAccountUse(r scanner) (u webhook.AccountUse, err error) {
	err = r.Scan(&u.ID, &u.Number, &u.Name, &u.TimeZone, &u.WebhookLimit, timeScanner{&u.CreatedAt}, &u.Webhooks, &u.Users, &u.Attention)
	return u, err
}

// AccountsAfter lists the accounts of the instance with larger numbers, by number.
func (s *Store) AccountsAfter(ctx context.Context, number int64, limit int) ([]webhook.AccountUse, error) {
	return list(ctx, s.engine, scanAccountUse, selectAccounts+`a.number > $1 ORDER BY a.number LIMIT $2`, number, limit)
}

// AccountsInNeed lists accounts of which a webhook needs attention, by number.
func (s *Store) AccountsInNeed(ctx context.Context, limit int) ([]webhook.AccountUse, error) {
	return list(ctx, s.engine, scanAccountUse, accountsInNeed, limit)
}

// UpdateAccount changes name, number and time zone. It returns webhook.Invalid if
// the number is taken.
func (s *Store) UpdateAccount(ctx context.Context, a webhook.Account, change webhook.Change) error {
	return s.write(ctx, func(tx transaction) error {
		n, err := tx.Exec(ctx, `UPDATE accounts SET name = $2, number = $3, time_zone = $4 WHERE id = $1`, a.ID, a.Name, a.Number, a.TimeZone)
		if err != nil {
			return s.numberTaken(err, a.Number)
		}
		if n == 0 {
			return webhook.ErrNotFound
		}
		return s.changed(ctx, tx, webhook.AuditEntry{Account: a.ID, Change: change, Action: "account.changed", Subject: a.ID.String(), Args: []string{a.Name}})
	})
}

// checkRoom returns webhook.LimitReached if the account has, according to a query that
// counts for it ($1), as many of something as it may have, and webhook.ErrNotFound if
// there is no such account. It locks the account first, so that two transactions
// cannot both take the last place.
func checkRoom(ctx context.Context, tx transaction, account webhook.AccountID, most webhook.LimitReached, count string) error {
	if err := lockAccount(ctx, tx, account); err != nil {
		return err
	}
	if err := queryRow(ctx, tx, count, account).Scan(&most.Used); err != nil {
		return err
	}
	if most.Used >= most.Limit {
		most.Over = most.Used + 1 - most.Limit
		return most
	}
	return nil
}

// lockAccount makes other transactions that lock the account wait until this one has
// ended.
func lockAccount(ctx context.Context, tx transaction, account webhook.AccountID) error {
	n, err := tx.Exec(ctx, `UPDATE accounts SET number = number WHERE id = $1`, account)
	if err == nil && n == 0 {
		return webhook.ErrNotFound
	}
	return err
}

// CountCheck counts that the account lets Bookhook call an address of its choice. It
// returns webhook.LimitReached if it did so webhook.MaxChecks times in this minute, or
// in the next one, where the clock of another process is already.
func (s *Store) CountCheck(ctx context.Context, account webhook.AccountID, now time.Time) error {
	err := s.write(ctx, func(tx transaction) error {
		var checks int
		minute := now.Unix() / 60
		return queryRow(ctx, tx, `INSERT INTO url_checks (account_id, minute, checks) VALUES ($1, $2, 1)
			ON CONFLICT (account_id) DO UPDATE SET
				checks = CASE WHEN url_checks.minute NOT IN ($2, $2 + 1) THEN 1 ELSE url_checks.checks + 1 END,
				minute = CASE WHEN url_checks.minute NOT IN ($2, $2 + 1) THEN $2 ELSE url_checks.minute END
			WHERE url_checks.minute NOT IN ($2, $2 + 1) OR url_checks.checks < $3
			RETURNING checks`, account, minute, webhook.MaxChecks).Scan(&checks)
	})
	if errors.Is(err, webhook.ErrNotFound) {
		return webhook.LimitReached{
			What: webhook.LimitedChecks, Limit: webhook.MaxChecks, Used: webhook.MaxChecks, Over: 1,
			Wait: now.Truncate(time.Minute).Add(time.Minute).Sub(now),
		}
	}
	return err
}

// SetLimit sets how many asynchronous webhooks an account may have. A limit below
// the present number prevents new webhooks and deletes none.
func (s *Store) SetLimit(ctx context.Context, account webhook.AccountID, limit int, change webhook.Change) error {
	return s.write(ctx, func(tx transaction) error {
		n, err := tx.Exec(ctx, `UPDATE accounts SET webhook_limit = $2 WHERE id = $1`, account, limit)
		if err != nil {
			return err
		}
		if n == 0 {
			return webhook.ErrNotFound
		}
		return s.audit(ctx, tx, webhook.AuditEntry{Account: account, Change: change, Action: "account.limit", Subject: account.String(), Args: []string{strconv.Itoa(limit)}})
	})
}
