package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"bookhook/db/group"
	"bookhook/stats"
	"bookhook/webhook"
)

// TestBackfill: what was in the log before there were counts is counted by the hours of
// the account's clock, but for tests and what is too old.
func TestBackfill(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "bookhook.db")
	d, err := Create(ctx, path)
	check(t, err)
	at := time.Now().Add(-24 * time.Hour).Truncate(time.Hour).UnixMilli() // the half hour in Kolkata
	check(t, d.Write(ctx, group.Turn{}, func(tx Tx) error { return insertOld(ctx, tx, at) }))
	check(t, d.Close())
	pool, err := open(ctx, path, 1, url.Values{})
	check(t, err)
	defer pool.Close()
	tx, err := pool.BeginTx(ctx, nil)
	check(t, err)
	check(t, countOld(ctx, tx))

	half := time.UnixMilli(at).Add(-30 * time.Minute).UnixMilli()
	want := map[stats.AttemptKey]string{}
	for _, of := range []stats.AttemptKey{{Account: 7, Webhook: 9, Hour: half}, {Account: 7, Hour: half}, {Hour: at}} {
		want[of] = "delivered 1, failed map[timeout:1], given up 0, slowest 6ms"
		of.Hour += 3600e3
		want[of] = "delivered 0, failed map[status 500:1], given up 1, slowest 6ms"
	}
	got := map[stats.AttemptKey]string{}
	check(t, eachRow(ctx, tx, func(rows *sql.Rows) error {
		var key stats.AttemptKey
		var encoded []byte
		var c stats.Counts
		if err := rows.Scan(&key.Account, &key.Webhook, &key.Hour, &encoded); err != nil {
			return err
		}
		err := c.Decode(encoded)
		got[key] = fmt.Sprintf("delivered %d, failed %v, given up %d, slowest %s", c.Delivered, c.Failed, c.GivenUp, c.Durations.Quantile(1))
		return err
	}, `SELECT account_id, webhook_id, hour, counts FROM attempt_counts`))
	if !reflect.DeepEqual(got, want) {
		t.Errorf("attempts: got %v, want %v", got, want)
	}
	events := []string{}
	check(t, eachRow(ctx, tx, func(rows *sql.Rows) error {
		var account, hour, n int64
		var platform, channel string
		err := rows.Scan(&account, &hour, &platform, &channel, &n)
		events = append(events, fmt.Sprint(account, hour, platform, channel, n))
		return err
	}, `SELECT account_id, hour, platform, channel_id, events FROM event_counts ORDER BY account_id`))
	check(t, tx.Rollback())
	if wanted := []string{fmt.Sprint(0, at, "tourcms", "", 1), fmt.Sprint(7, half, "tourcms", "3930", 1)}; !slices.Equal(events, wanted) {
		t.Errorf("events: got %v, want %v", events, wanted)
	}
}

// insertOld inserts what there was before.
func insertOld(ctx context.Context, tx Tx, at int64) error {
	const event = `INSERT INTO events (id, account_id, platform, type, channel_id, booking_id, tour_ids, occurred_at, received_at, test, inbound, digest, decisions)
		VALUES ($1, 7, 'tourcms', 'cancelled', '3930', '', '[]', 0, $2, $3, 0, x'00', '[]')`
	const delivery = `INSERT INTO deliveries (id, account_id, event_id, webhook_id, platform, type, booking_id, test, inline, state, attempts, completed, next_at, created_at)
		VALUES ($1, 7, $1, 9, 'tourcms', 'cancelled', '', $2, 0, $3, 2, 2, 0, 0)`
	const attempt = `INSERT INTO attempts (delivery_id, number, started_at, duration_us, status, failure, error, method, url, remote_addr, request_headers, data_at, response_headers, truncated)
		VALUES ($1, $2, $3, 5000, $4, $5, '', '', '', '', '{}', -1, '{}', 0)`
	first, old := int64(webhook.FirstID[webhook.EventID](time.UnixMilli(at))), int64(webhook.FirstID[webhook.EventID](time.Now().Add(-stats.Kept-time.Hour)))
	for _, row := range []struct {
		query string
		args  []any
	}{
		{`INSERT INTO accounts (id, number, name, time_zone, webhook_limit, created_at) VALUES (7, 7, 'Kolkata', 'Asia/Kolkata', 10, $1)`, []any{1}},
		{event, []any{first, at, 0}},
		{event, []any{first + 1, at, 1}}, // a test
		{event, []any{old, at, 0}},
		{delivery, []any{first, 0, "failed"}},
		{attempt, []any{first, 1, at, 0, "timeout"}},
		{attempt, []any{first, 2, at + 3600e3, 500, "status"}},
		{delivery, []any{first + 1, 0, "delivered"}},
		{attempt, []any{first + 1, 2, at, 200, ""}},
		{delivery, []any{first + 2, 1, "delivered"}},
		{attempt, []any{first + 2, 1, at, 200, ""}},
		{delivery, []any{old, 0, "delivered"}},
		{attempt, []any{old, 1, at - stats.Kept.Milliseconds(), 200, ""}},
	} {
		if _, err := tx.Exec(ctx, row.query, row.args...); err != nil {
			return err
		}
	}
	return nil
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
