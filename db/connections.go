package db

import (
	"context"
	"time"

	"bookhook/auth"
	"bookhook/webhook"
)

const connectionColumns = `account_id, platform, enabled, token, old_token, old_until, received_at, rejected_at, named_account, settings`

func (s *Store) scanConnection(r scanner) (c webhook.Connection, err error) {
	var settings string
	if err := r.Scan(&c.Account, &c.Platform, &c.Enabled, &c.Token, &c.OldToken, timeScanner{&c.OldUntil}, timeScanner{&c.ReceivedAt}, timeScanner{&c.RejectedAt}, &c.Named, &settings); err != nil {
		return c, err
	}
	return c, openConnection(s.key, &c, settings)
}

// Connections lists the platforms that an account uses or used, by their keys.
func (s *Store) Connections(ctx context.Context, account webhook.AccountID) ([]webhook.Connection, error) {
	return s.listConnections(ctx, s.engine, account)
}

func (s *Store) listConnections(ctx context.Context, q querier, account webhook.AccountID) ([]webhook.Connection, error) {
	return list(ctx, q, s.scanConnection, `SELECT `+connectionColumns+` FROM connections WHERE account_id = $1 ORDER BY platform`, account)
}

// Connection finds an account's use of a platform.
func (s *Store) Connection(ctx context.Context, account webhook.AccountID, platform string) (webhook.Connection, error) {
	return s.findConnection(ctx, s.engine, account, platform)
}

func (s *Store) findConnection(ctx context.Context, q querier, account webhook.AccountID, platform string) (webhook.Connection, error) {
	return s.scanConnection(queryRow(ctx, q, `SELECT `+connectionColumns+` FROM connections WHERE account_id = $1 AND platform = $2`, account, platform))
}

// ConnectionByToken finds the connection with this address; its previous address
// is valid until OldUntil.
func (s *Store) ConnectionByToken(ctx context.Context, platform, token string, now time.Time) (webhook.Connection, error) {
	return s.scanConnection(queryRow(ctx, s.engine, `SELECT `+connectionColumns+` FROM connections
		WHERE platform = $1 AND (token_hash = $2 OR old_token_hash = $2 AND old_until > $3)`, platform, auth.HashSecret(token), toMillis(now)))
}

func (s *Store) insertConnection(ctx context.Context, tx transaction, account webhook.AccountID, platform string) error {
	key, err := s.writeKey(ctx, tx)
	if err != nil {
		return err
	}
	c := webhook.Connection{Account: account, Platform: platform, Token: webhook.NewAddressToken(), Settings: webhook.Settings{}}
	_, err = tx.Exec(ctx, `INSERT INTO connections (account_id, platform, enabled, token, token_hash, settings) VALUES ($1, $2, 1, $3, $4, $5)`,
		account, platform, sealToken(key, c), auth.HashSecret(c.Token), sealSettings(key, c))
	return err
}

// SwitchPlatform switches a platform on or off for an account, and returns the
// connection. Its address is created the first time, and kept while it is off.
func (s *Store) SwitchPlatform(ctx context.Context, account webhook.AccountID, platform string, on bool, change webhook.Change) (c webhook.Connection, err error) {
	err = s.write(ctx, func(tx transaction) error {
		if _, err := s.writeKey(ctx, tx); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `UPDATE connections SET enabled = $3 WHERE account_id = $1 AND platform = $2`, account, platform, boolInt(on))
		if err != nil {
			return err
		}
		if n == 0 && !on {
			return webhook.ErrNotFound
		}
		if n == 0 {
			if err := s.insertConnection(ctx, tx, account, platform); err != nil {
				return err
			}
		}
		if c, err = s.findConnection(ctx, tx, account, platform); err != nil {
			return err
		}
		return s.changed(ctx, tx, platformEntry(account, platform, map[bool]string{true: "platform.on", false: "platform.off"}[on], change))
	})
	return c, err
}

// RotateAddress gives a connection a new address in place of the one with a token, which
// still receives events for webhook.AddressOverlap. It returns webhook.ErrConflict if there
// is another one by now.
func (s *Store) RotateAddress(ctx context.Context, account webhook.AccountID, platform, token string, change webhook.Change) (c webhook.Connection, err error) {
	err = s.write(ctx, func(tx transaction) error {
		key, err := s.writeKey(ctx, tx)
		if err != nil {
			return err
		}
		if c, err = s.findConnection(ctx, tx, account, platform); err != nil {
			return err
		}
		if c.Token != token {
			return webhook.ErrConflict
		}
		c.Token, c.OldToken, c.OldUntil = webhook.NewAddressToken(), c.Token, roundMillis(change.At.Add(webhook.AddressOverlap))
		_, err = tx.Exec(ctx, `UPDATE connections SET token = $3, token_hash = $4, old_token = $5, old_token_hash = token_hash, old_until = $6
			WHERE account_id = $1 AND platform = $2`,
			account, platform, sealToken(key, c), auth.HashSecret(c.Token), sealOldToken(key, c), toMillis(c.OldUntil))
		if err != nil {
			return err
		}
		return s.audit(ctx, tx, platformEntry(account, platform, "platform.address", change))
	})
	return c, err
}

// SaveSettings replaces the settings of a connection.
func (s *Store) SaveSettings(ctx context.Context, account webhook.AccountID, platform string, settings webhook.Settings, change webhook.Change) error {
	return s.write(ctx, func(tx transaction) error {
		key, err := s.writeKey(ctx, tx)
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `UPDATE connections SET settings = $3 WHERE account_id = $1 AND platform = $2`,
			account, platform, sealSettings(key, webhook.Connection{Account: account, Platform: platform, Settings: settings}))
		if err != nil {
			return err
		}
		if n == 0 {
			return webhook.ErrNotFound
		}
		return s.changed(ctx, tx, platformEntry(account, platform, "platform.settings", change))
	})
}

func platformEntry(account webhook.AccountID, platform, action string, change webhook.Change) webhook.AuditEntry {
	return webhook.AuditEntry{Account: account, Change: change, Action: action, Subject: platform, Args: []string{platform}}
}

// receivedGap is how far ReceivedAt may lag behind the last request.
const receivedGap = 10 * time.Second

// ConnectionUsed records that a request was accepted at an address, and which account it
// named.
func (s *Store) ConnectionUsed(ctx context.Context, c webhook.Connection, named string, now time.Time) error {
	if now.Sub(c.ReceivedAt) < receivedGap && named == c.Named && c.RejectedAt.IsZero() {
		return nil
	}
	return s.write(ctx, func(tx transaction) error {
		_, err := tx.Exec(ctx, `UPDATE connections SET received_at = $3, named_account = $4, rejected_at = 0 WHERE account_id = $1 AND platform = $2`,
			c.Account, c.Platform, toMillis(now), named)
		return err
	})
}

// ConnectionRejected records that a request was rejected at an address.
func (s *Store) ConnectionRejected(ctx context.Context, c webhook.Connection, now time.Time) error {
	if now.Sub(c.RejectedAt) < receivedGap {
		return nil
	}
	return s.write(ctx, func(tx transaction) error {
		_, err := tx.Exec(ctx, `UPDATE connections SET received_at = $3, rejected_at = $3 WHERE account_id = $1 AND platform = $2`,
			c.Account, c.Platform, toMillis(now))
		return err
	})
}
