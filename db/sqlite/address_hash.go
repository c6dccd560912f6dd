package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"

	"github.com/pressly/goose/v3"
)

// Addresses of platforms are found by the SHA-256 of their tokens, since the tokens
// themselves may be encrypted. SQLite has no such function, so this migration is in
// Go.
func hashAddresses() *goose.Migration {
	return goose.NewGoMigration(5, &goose.GoFunc{RunTx: addAddressHashes}, nil)
}

// The hash takes the place of the token in the unique indexes.
const connectionsWithHashes = `
CREATE TABLE connections_new (
  account_id     INTEGER NOT NULL REFERENCES accounts (id),
  platform       TEXT    NOT NULL,
  enabled        INTEGER NOT NULL,
  token          TEXT    NOT NULL, -- the last part of the address; operators see it again; may be sealed
  token_hash     BLOB    NOT NULL UNIQUE, -- SHA-256 of the token
  old_token      TEXT    NOT NULL DEFAULT '', -- may be sealed
  old_token_hash BLOB    UNIQUE, -- NULL: there is none
  old_until      INTEGER NOT NULL DEFAULT 0,
  received_at    INTEGER NOT NULL DEFAULT 0, -- to ten seconds
  settings       TEXT    NOT NULL, -- JSON: key to value, credentials among them; may be sealed
  PRIMARY KEY (account_id, platform)
) STRICT, WITHOUT ROWID;
`

func addAddressHashes(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, connectionsWithHashes); err != nil {
		return err
	}
	rows, err := readAddresses(ctx, tx)
	if err != nil {
		return err
	}
	for _, r := range rows {
		_, err := tx.ExecContext(ctx, `INSERT INTO connections_new
				(account_id, platform, enabled, token, token_hash, old_token, old_token_hash, old_until, received_at, settings)
			SELECT account_id, platform, enabled, token, $3, old_token, $4, old_until, received_at, settings
			FROM connections WHERE account_id = $1 AND platform = $2`, r.account, r.platform, hashOf(r.token), hashOf(r.oldToken))
		if err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `DROP TABLE connections; ALTER TABLE connections_new RENAME TO connections`)
	return err
}

// hashOf returns the SHA-256 of a token; nil, which is NULL, if there is none.
func hashOf(token string) []byte {
	if token == "" {
		return nil
	}
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

type addressRow struct {
	account                   int64
	platform, token, oldToken string
}

func readAddresses(ctx context.Context, tx *sql.Tx) (all []addressRow, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT account_id, platform, token, old_token FROM connections`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r addressRow
		if err := rows.Scan(&r.account, &r.platform, &r.token, &r.oldToken); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}
