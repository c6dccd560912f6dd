package db

import (
	"context"
	"time"

	"bookhook/webhook"
)

// AddToken creates an API token; only its hash is stored. It returns
// webhook.LimitReached if the account has webhook.MaxTokens.
func (s *Store) AddToken(ctx context.Context, t webhook.Token, hash []byte, change webhook.Change) (webhook.Token, error) {
	t.ID, t.CreatedAt = webhook.TokenID(s.nextID()), roundMillis(change.At)
	most := webhook.LimitReached{What: webhook.LimitedTokens, Limit: webhook.MaxTokens}
	err := s.write(ctx, func(tx transaction) error {
		if err := checkRoom(ctx, tx, t.Account, most, `SELECT count(*) FROM api_tokens WHERE account_id = $1`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO api_tokens (id, account_id, name, hash, created_at) VALUES ($1, $2, $3, $4, $5)`,
			t.ID, t.Account, t.Name, hash, toMillis(t.CreatedAt))
		if err != nil {
			return err
		}
		return s.audit(ctx, tx, webhook.AuditEntry{Account: t.Account, Change: change, Action: "token.created", Subject: t.ID.String(), Args: []string{t.Name}})
	})
	return t, err
}

const tokenColumns = `id, account_id, name, created_at, used_at` //nolint:gosec // no secret

func scanToken(r scanner) (t webhook.Token, err error) {
	err = r.Scan(&t.ID, &t.Account, &t.Name, timeScanner{&t.CreatedAt}, timeScanner{&t.UsedAt})
	return t, err
}

// Tokens lists the tokens of an account in the order they were created.
func (s *Store) Tokens(ctx context.Context, account webhook.AccountID) ([]webhook.Token, error) {
	return list(ctx, s.engine, scanToken, `SELECT `+tokenColumns+` FROM api_tokens WHERE account_id = $1 ORDER BY id`, account)
}

// TokenByHash finds the token with this hash.
func (s *Store) TokenByHash(ctx context.Context, hash []byte) (webhook.Token, error) {
	return scanToken(queryRow(ctx, s.engine, `SELECT `+tokenColumns+` FROM api_tokens WHERE hash = $1`, hash))
}

// TokenUsed records that a token is in use.
func (s *Store) TokenUsed(ctx context.Context, id webhook.TokenID, now time.Time) error {
	return s.write(ctx, func(tx transaction) error {
		_, err := tx.Exec(ctx, `UPDATE api_tokens SET used_at = $2 WHERE id = $1`, id, toMillis(now))
		return err
	})
}

// RevokeToken deletes a token.
func (s *Store) RevokeToken(ctx context.Context, account webhook.AccountID, id webhook.TokenID, change webhook.Change) error {
	return s.write(ctx, func(tx transaction) error {
		var name string
		if err := queryRow(ctx, tx, `DELETE FROM api_tokens WHERE account_id = $1 AND id = $2 RETURNING name`, account, id).Scan(&name); err != nil {
			return err
		}
		return s.audit(ctx, tx, webhook.AuditEntry{Account: account, Change: change, Action: "token.revoked", Subject: id.String(), Args: []string{name}})
	})
}
