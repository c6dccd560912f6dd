package db

import (
	"context"
	"time"

	"bookhook/auth"
	"bookhook/webhook"
)

// AddClient creates a client of the Prioticket-compatible API; only the hash of its
// secret is stored. It returns webhook.LimitReached if the account has
// webhook.MaxClients.
func (s *Store) AddClient(ctx context.Context, c webhook.Client, hash []byte, change webhook.Change) (webhook.Client, error) {
	c.ID, c.CreatedAt = webhook.ClientID(s.nextID()), roundMillis(change.At)
	most := webhook.LimitReached{What: webhook.LimitedClients, Limit: webhook.MaxClients}
	err := s.write(ctx, func(tx transaction) error {
		if err := checkRoom(ctx, tx, c.Account, most, `SELECT count(*) FROM clients WHERE account_id = $1`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO clients (id, account_id, name, hash, created_at) VALUES ($1, $2, $3, $4, $5)`,
			c.ID, c.Account, c.Name, hash, toMillis(c.CreatedAt))
		if err != nil {
			return err
		}
		return s.audit(ctx, tx, webhook.AuditEntry{Account: c.Account, Change: change, Action: "client.created", Subject: c.ID.String(), Args: []string{c.Name}})
	})
	return c, err
}

const clientColumns = `c.id, c.account_id, c.name, c.created_at, c.used_at`

func clientFields(c *webhook.Client) []any {
	return []any{&c.ID, &c.Account, &c.Name, timeScanner{&c.CreatedAt}, timeScanner{&c.UsedAt}}
}

// Clients lists the clients of an account in the order they were created.
func (s *Store) Clients(ctx context.Context, account webhook.AccountID) ([]webhook.Client, error) {
	scan := func(r scanner) (c webhook.Client, err error) {
		err = r.Scan(clientFields(&c)...)
		return c, err
	}
	return list(ctx, s.engine, scan, `SELECT `+clientColumns+` FROM clients c WHERE c.account_id = $1 ORDER BY c.id`, account)
}

// ClientByID finds a client of any account, and the hash of its secret: until the
// client is authenticated, its account is not known.
func (s *Store) ClientByID(ctx context.Context, id webhook.ClientID) (c webhook.Client, hash []byte, err error) {
	err = queryRow(ctx, s.engine, `SELECT `+clientColumns+`, c.hash FROM clients c WHERE c.id = $1`, id).Scan(append(clientFields(&c), &hash)...)
	return c, hash, err
}

// RevokeClient deletes a client and its access tokens.
func (s *Store) RevokeClient(ctx context.Context, account webhook.AccountID, id webhook.ClientID, change webhook.Change) error {
	return s.write(ctx, func(tx transaction) error {
		var name string
		if err := queryRow(ctx, tx, `DELETE FROM clients WHERE account_id = $1 AND id = $2 RETURNING name`, account, id).Scan(&name); err != nil {
			return err
		}
		return s.audit(ctx, tx, webhook.AuditEntry{Account: account, Change: change, Action: "client.revoked", Subject: id.String(), Args: []string{name}})
	})
}

// AddClientToken stores an access token of a client, records that the client is in
// use, and deletes its tokens that have expired, and the oldest beyond
// auth.MaxClientTokens. It returns webhook.ErrNotFound if the client was revoked
// meanwhile.
func (s *Store) AddClientToken(ctx context.Context, client webhook.ClientID, hash []byte, scope string, expires, now time.Time) error {
	return s.write(ctx, func(tx transaction) error {
		n, err := tx.Exec(ctx, `UPDATE clients SET used_at = $2 WHERE id = $1`, client, toMillis(now))
		if err != nil {
			return err
		}
		if n == 0 {
			return webhook.ErrNotFound
		}
		if _, err := tx.Exec(ctx, `DELETE FROM client_tokens WHERE client_id = $1 AND expires_at <= $2`, client, toMillis(now)); err != nil {
			return err
		}
		if _, err = tx.Exec(ctx, `INSERT INTO client_tokens (hash, client_id, scope, expires_at) VALUES ($1, $2, $3, $4)`, hash, client, scope, toMillis(expires)); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM client_tokens WHERE client_id = $1 AND expires_at <
			(SELECT expires_at FROM client_tokens WHERE client_id = $1 ORDER BY expires_at DESC LIMIT 1 OFFSET $2)`, client, auth.MaxClientTokens-1)
		return err
	})
}

// ClientToken returns what an access token that has not expired at now permits.
func (s *Store) ClientToken(ctx context.Context, hash []byte, now time.Time) (g auth.Grant, err error) {
	err = queryRow(ctx, s.engine, `SELECT `+clientColumns+`, t.scope, t.expires_at
		FROM client_tokens t JOIN clients c ON c.id = t.client_id WHERE t.hash = $1 AND t.expires_at > $2`, hash, toMillis(now)).
		Scan(append(clientFields(&g.Client), &g.Scope, timeScanner{&g.ExpiresAt})...)
	return g, err
}
