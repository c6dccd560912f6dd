package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/pressly/goose/v3"

	"bookhook/stats"
	"bookhook/webhook"
)

// What happened before there were counts is counted once, by the account's clock. The
// statements read the tables in the order of their keys, so that each page is read once.
func backfillCounts() *goose.Migration {
	return goose.NewGoMigration(13, &goose.GoFunc{RunTx: countOld}, nil)
}

func countOld(ctx context.Context, tx *sql.Tx) error {
	zones, err := readZones(ctx, tx)
	if err != nil {
		return err
	}
	hours := stats.NewHours(func(id webhook.AccountID) *time.Location { return zones[id] })
	since := time.Now().Add(-stats.Kept)
	err = errors.Join(countOldAttempts(ctx, tx, hours, since), countOldEvents(ctx, tx, hours, since))
	if err != nil {
		return err
	}
	for key, counts := range hours.Attempts {
		_, err := tx.ExecContext(ctx, `INSERT INTO attempt_counts (account_id, webhook_id, hour, counts) VALUES ($1, $2, $3, $4)`,
			key.Account, key.Webhook, key.Hour, counts.Encode())
		if err != nil {
			return err
		}
	}
	for key, events := range hours.Events {
		_, err := tx.ExecContext(ctx, `INSERT INTO event_counts (account_id, hour, platform, channel_id, events) VALUES ($1, $2, $3, $4, $5)`,
			key.Account, key.Hour, key.Platform, key.Channel, events)
		if err != nil {
			return err
		}
	}
	return nil
}

func readZones(ctx context.Context, tx *sql.Tx) (map[webhook.AccountID]*time.Location, error) {
	zones := map[webhook.AccountID]*time.Location{}
	return zones, eachRow(ctx, tx, func(rows *sql.Rows) error {
		var a webhook.Account
		err := rows.Scan(&a.ID, &a.TimeZone)
		zones[a.ID] = a.Location()
		return err
	}, `SELECT id, time_zone FROM accounts`)
}

// An attempt whose kept connection was closed has another one right behind it, of which
// the schedule knows nothing; which ones those were is not stored, so they count here.
func countOldAttempts(ctx context.Context, tx *sql.Tx, hours *stats.Hours, since time.Time) error {
	return eachRow(ctx, tx, func(rows *sql.Rows) error {
		var a stats.Attempt
		var started, us int64
		var o webhook.Outcome
		err := rows.Scan(&a.Account, &a.Webhook, &a.GivenUp, &started, &us, &o.Status, &o.Failure)
		a.StartedAt, a.Duration, a.Responded, a.Reason = time.UnixMilli(started), time.Duration(us)*time.Microsecond, o.Status != 0, stats.ReasonOf(o)
		if err == nil && started >= since.UnixMilli() {
			hours.Attempt(a)
		}
		return err
	}, `SELECT d.account_id, d.webhook_id, d.state = 'failed' AND a.number = d.completed, a.started_at, a.duration_us, a.status, a.failure
		FROM deliveries d CROSS JOIN attempts a ON a.delivery_id = d.id
		WHERE d.test = 0 AND d.id >= $1 ORDER BY d.id`, webhook.FirstID[webhook.DeliveryID](since))
}

func countOldEvents(ctx context.Context, tx *sql.Tx, hours *stats.Hours, since time.Time) error {
	return eachRow(ctx, tx, func(rows *sql.Rows) error {
		var e stats.Event
		var received int64
		err := rows.Scan(&e.Account, &received, &e.Platform, &e.Channel)
		e.ReceivedAt = time.UnixMilli(received)
		if err == nil {
			hours.Event(e)
		}
		return err
	}, `SELECT account_id, received_at, platform, channel_id FROM events WHERE test = 0 AND id >= $1 ORDER BY id`, webhook.FirstID[webhook.EventID](since))
}

func eachRow(ctx context.Context, tx *sql.Tx, do func(*sql.Rows) error, query string, args ...any) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := do(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
