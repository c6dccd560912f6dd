package db_test

import (
	"database/sql"
	"database/sql/driver"
	"strings"
	"sync"
	"testing"

	"modernc.org/sqlite"

	"bookhook/webhook"
)

// The shape of a filled database. Account 1 has half of all deliveries, the
// others share the rest. Of the ten webhooks of each, the first receives every
// event, eight take turns, and the last receives one in a thousand. Of a
// hundred deliveries two failed, of a thousand one waits, of two thousand one
// was cancelled; one event in ten thousand is of a rare type; about five are of
// one booking.
const (
	filledAccounts = 100
	filledSince    = webhook.DeliveryID(1) << 57 // in 2026
	filledStep     = webhook.DeliveryID(1) << 28 // from event to event, 64 ms
)

// filledEvents begins a statement with the events from $1 on and below $2.
const filledEvents = `WITH RECURSIVE
	s(i) AS (SELECT $1 UNION ALL SELECT i + 1 FROM s WHERE i + 1 < $2),
	e(i, id, account, turn, few, type, booking, at) AS (SELECT
		i, $3 + i * $4, CASE i % 2 WHEN 0 THEN 1 ELSE 2 + i / 2 % 99 END, 1 + i / 2 % 8, i % 2000 < 2,
		CASE WHEN i % 20000 IN (2, 3) THEN 'rare' WHEN i % 10 < 4 THEN 'cancelled' ELSE 'new_confirmed_web' END,
		'B-' || (i / 1000 * 100 + i / 2 % 99), 1735689600000 + (($3 + i * $4) >> 22) FROM s)
	`

const fillEvents = filledEvents + `INSERT INTO events (id, account_id, external_id, platform, type, channel_id,
		booking_id, tour_ids, occurred_at, received_at, test, inbound, data, digest, decisions)
	SELECT id, account, 'x' || i, 'tourcms', type, '3930', booking, '["12"]', at, at, 0, 0, zeroblob(500), zeroblob(32),
		'[{"webhook":"' || id_text('whk', account * 100) || '","delivery":"' || id_text('dlv', id + 1) ||
		'"},{"webhook":"' || id_text('whk', account * 100 + turn) || '","delivery":"' || id_text('dlv', id + 2) ||
		'"},{"webhook":"' || id_text('whk', account * 100 + 9) || '",' ||
		CASE few WHEN 1 THEN '"delivery":"' || id_text('dlv', id + 3) || '"' ELSE '"reason":"event_not_selected"' END || '}]'
	FROM e`

const fillDeliveries = filledEvents + `, d(n) AS (VALUES (1), (2), (3))
	INSERT INTO deliveries (id, account_id, event_id, webhook_id, platform, type, booking_id, test,
		inline, state, attempts, completed, next_at, created_at, finished_at, last_status, last_us)
	SELECT id + n, account, id, account * 100 + CASE n WHEN 1 THEN 0 WHEN 2 THEN turn ELSE 9 END, 'tourcms', type, booking, 0,
		0, CASE WHEN i / 2 % 50 = 7 THEN 'failed' WHEN i / 2 % 1000 = 11 THEN 'pending' WHEN i / 2 % 2000 = 13 THEN 'cancelled' ELSE 'delivered' END,
		1, 1, at, at, at, 200, 1200
	FROM e CROSS JOIN d WHERE n < 3 OR few`

// idText is an id of some kind as its text, for use in SQL.
func idText(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
	prefix, _ := args[0].(string)
	id, _ := args[1].(int64)
	return prefix + strings.TrimPrefix(webhook.DeliveryID(id).String(), "dlv"), nil
}

// registerIDText may be called again.
var registerIDText = sync.OnceFunc(func() { sqlite.MustRegisterDeterministicScalarFunction("id_text", 2, idText) })

// fill adds accounts, webhooks and about so many deliveries to a migrated
// database. No store is open on it.
func fill(tb testing.TB, path string, deliveries int) {
	tb.Helper()
	registerIDText()
	pool, err := sql.Open("sqlite", "file:"+path+"?_pragma=synchronous(off)&_pragma=cache_size(-400000)")
	ok(tb, err)
	defer func() { ok(tb, pool.Close()) }()
	pool.SetMaxOpenConns(1)
	do := func(query string, args ...any) {
		_, err := pool.ExecContext(tb.Context(), query, args...)
		ok(tb, err)
	}
	do(`INSERT INTO accounts (id, number, name, time_zone, webhook_limit, created_at)
		WITH RECURSIVE a(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM a WHERE i < $1)
		SELECT i, 4000 + i, 'Account ' || i, 'UTC', 10, 1 FROM a`, filledAccounts)
	do(`INSERT INTO webhooks (id, account_id, kind, config, enabled, secret, created_at, updated_at)
		WITH RECURSIVE h(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM h WHERE i < 9)
		SELECT a.id * 100 + i, a.id, 'async', '{"name":"Webhook ' || i || '","kind":"async","all_events":true,"ordered":true}', 1, 'x', 1, 1
		FROM accounts a CROSS JOIN h`)
	const chunk = 100_000
	for from := 0; from < deliveries/2; from += chunk {
		for _, query := range []string{fillEvents, fillDeliveries} {
			do(query, from, min(from+chunk, deliveries/2), filledSince, filledStep)
		}
	}
	do("PRAGMA wal_checkpoint(TRUNCATE)")
}
