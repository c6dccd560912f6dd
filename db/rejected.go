package db

import (
	"context"
	"crypto/sha256"
	"strconv"
	"time"

	"bookhook/webhook"
)

// AddRejectedRequest stores a request that was rejected; the same request again is
// only counted. Its body is truncated to webhook.MaxRejectedBody. Only the newest
// webhook.MaxRejected of an account are kept: otherwise anybody who has an address
// could fill the disk.
func (s *Store) AddRejectedRequest(ctx context.Context, r webhook.RejectedRequest, now time.Time) error {
	why := messageJSON(r.Why)
	digest := sha256.New()
	for _, field := range []string{r.Platform, r.Method, r.Query, r.ContentType, why, string(r.Body)} {
		digest.Write(append(strconv.AppendInt(nil, int64(len(field)), 10), ':'))
		digest.Write([]byte(field))
	}
	if len(r.Body) > webhook.MaxRejectedBody {
		r.Body, r.Truncated = r.Body[:webhook.MaxRejectedBody], true
	}
	return s.write(ctx, func(tx transaction) error {
		_, err := tx.Exec(ctx, `INSERT INTO rejected_requests (id, account_id, platform, method, query, content_type, body, truncated,
				status, why, digest, times, last_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12)
			ON CONFLICT (account_id, digest) DO UPDATE SET times = rejected_requests.times + 1, last_at = $12`,
			s.nextID(), r.Account, r.Platform, r.Method, r.Query, r.ContentType, r.Body, boolInt(r.Truncated),
			r.Status, why, digest.Sum(nil), toMillis(now))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM rejected_requests WHERE account_id = $1 AND id <=
			(SELECT id FROM rejected_requests WHERE account_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)`, r.Account, webhook.MaxRejected)
		return err
	})
}

func scanRejectedRequest(r scanner) (rejected webhook.RejectedRequest, err error) {
	err = r.Scan(&rejected.ID, &rejected.Account, &rejected.Platform, &rejected.Method, &rejected.Query, &rejected.ContentType, &rejected.Body,
		&rejected.Truncated, &rejected.Status, messageScanner{&rejected.Why}, &rejected.Times, timeScanner{&rejected.LastAt})
	return rejected, err
}

// RejectedRequests lists the rejected requests of an account, the newest first,
// beginning below the id before (0: with the newest).
func (s *Store) RejectedRequests(ctx context.Context, account webhook.AccountID, before webhook.RejectedID, limit int) ([]webhook.RejectedRequest, error) {
	return list(ctx, s.engine, scanRejectedRequest, `SELECT id, account_id, platform, method, query, content_type, body, truncated,
			status, why, times, last_at
		FROM rejected_requests WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`, account, beforeOrNewest(before), limit)
}

// CountRejectedRequests counts the rejected requests of an account.
func (s *Store) CountRejectedRequests(ctx context.Context, account webhook.AccountID) (n int, err error) {
	err = queryRow(ctx, s.engine, `SELECT count(*) FROM rejected_requests WHERE account_id = $1`, account).Scan(&n)
	return n, err
}

// DeleteRejectedRequests deletes the rejected requests of an account but for those that came
// (again) after a time, and returns how many there were. Their platforms' last requests no
// longer count as rejected.
func (s *Store) DeleteRejectedRequests(ctx context.Context, account webhook.AccountID, until time.Time, change webhook.Change) (n int64, err error) {
	err = s.write(ctx, func(tx transaction) (err error) {
		n, err = tx.Exec(ctx, `DELETE FROM rejected_requests WHERE account_id = $1 AND last_at <= $2`, account, toMillis(until))
		if err != nil || n == 0 {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE connections SET rejected_at = 0 WHERE account_id = $1 AND rejected_at <= $2`, account, toMillis(until)); err != nil {
			return err
		}
		return s.audit(ctx, tx, webhook.AuditEntry{
			Account: account, Change: change, Action: "rejected.deleted", Subject: account.String(), Args: []string{strconv.FormatInt(n, 10)},
		})
	})
	return n, err
}
