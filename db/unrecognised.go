package db

import (
	"context"
	"crypto/sha256"
	"math"
	"strconv"
	"time"

	"bookhook/webhook"
)

// KeepUnrecognised keeps what came in and could not be read; the same again is
// counted. It is u.Account's, and cut at webhook.MaxUnrecognised. Of an account
// the newest webhook.ListUnrecognised stay: whoever has an address could fill the
// disk otherwise.
func (s *Store) KeepUnrecognised(ctx context.Context, u webhook.Unrecognised, now time.Time) error {
	digest := sha256.New()
	for _, part := range []string{u.Platform, u.Method, u.Query, u.ContentType, u.Message, string(u.Body)} {
		digest.Write(append(strconv.AppendInt(nil, int64(len(part)), 10), ':'))
		digest.Write([]byte(part))
	}
	if len(u.Body) > webhook.MaxUnrecognised {
		u.Body, u.Truncated = u.Body[:webhook.MaxUnrecognised], true
	}
	return s.write(ctx, func(tx transaction) error {
		_, err := tx.Exec(ctx, `INSERT INTO rejected_requests (id, account_id, platform, method, query, content_type, body, truncated,
				status, message, digest, times, last_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12)
			ON CONFLICT (account_id, digest) DO UPDATE SET times = times + 1, last_at = $12`,
			s.newID(), u.Account, u.Platform, u.Method, u.Query, u.ContentType, u.Body, boolInt(u.Truncated),
			u.Status, u.Message, digest.Sum(nil), toMillis(now))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM rejected_requests WHERE account_id = $1 AND id <=
			(SELECT id FROM rejected_requests WHERE account_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)`, u.Account, webhook.ListUnrecognised)
		return err
	})
}

func scanUnrecognised(r scanner) (u webhook.Unrecognised, err error) {
	err = r.Scan(&u.ID, &u.Account, &u.Platform, &u.Method, &u.Query, &u.ContentType, &u.Body, &u.Truncated,
		&u.Status, &u.Message, &u.Times, timeScanner{&u.LastAt})
	return u, err
}

// Unrecognised lists what an account got and could not be read, the newest
// first; before is the id of the last one of the page before, or zero.
func (s *Store) Unrecognised(ctx context.Context, account, before webhook.ID, limit int) ([]webhook.Unrecognised, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	return list(ctx, s.engine, scanUnrecognised, `SELECT id, account_id, platform, method, query, content_type, body, truncated,
			status, message, times, last_at
		FROM rejected_requests WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`, account, before, limit)
}

// CountUnrecognised counts them.
func (s *Store) CountUnrecognised(ctx context.Context, account webhook.ID) (n int, err error) {
	return n, queryRow(ctx, s.engine, `SELECT count(*) FROM rejected_requests WHERE account_id = $1`, account).Scan(&n)
}
