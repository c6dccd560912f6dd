package db_test

import (
	"context"
	"database/sql"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/db/dbtest"
	"bookhook/db/postgres/pgtest"
	"bookhook/webhook"
)

var textTests = []test{
	{"whatever somebody sends is stored", testAnyText},
	{"whatever somebody asks for is found or not", testAnySearch},
}

// oddTexts are some that are no texts for every database.
var oddTexts = []string{"a\x00b", "\x00", "\xff\xfe", "half a character \xe2\x82", "\xed\xa0\x80", `\u0000`}

// testAnyText: no text makes a write fail, wherever it may come from outside.
func testAnyText(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	for i, text := range oddTexts {
		id := strconv.Itoa(i) + text
		e := newEvent(id)
		e.Type, e.ChannelID, e.BookingID, e.TourIDs, e.Via, e.Data, e.Wire = text, text, text, []string{text}, webhook.Via(text), []byte(text), []byte(text)
		e.Note = webhook.NewMessage("lookup.bug", text)
		accepted := ingest(t, s, a.ID, e)[0]
		same(t, "found again", must(s.EventID(ctx, a.ID, id))(t), accepted.Event.ID)
		same(t, "the same again", ingest(t, s, a.ID, e)[0].Duplicate, true)
		jobs := claim(t, s, w.ID, 9, t0)
		same(t, "data", string(jobs[0].Event.Data), text)
		r := failure(jobs[0].Delivery.ID, w.ID, 1, time.Time{})
		r.Attempt.URL, r.Attempt.RemoteAddr, r.Attempt.Error = text, text, webhook.NewMessage("failure.status", text)
		r.Attempt.ResponseHeaders, r.Attempt.ResponseBody = http.Header{text: {text}}, []byte(text)
		finish(t, s, r, t0)
		attempts := must(s.Attempts(ctx, a.ID, jobs[0].Delivery.ID, 0))(t)
		same(t, "response", string(attempts[0].ResponseBody), text)

		request := rejected(a.ID, text)
		request.Method, request.Query, request.ContentType, request.Why = text, text, text, webhook.NewMessage("events.unknown", text)
		ok(t, s.AddRejectedRequest(ctx, request, t0))
		must(s.AddUpload(ctx, webhook.Upload{Account: a.ID, Name: text}))(t)
		must(s.SaveDraft(ctx, webhook.Draft{Account: a.ID, Config: webhook.Config{Name: text, URL: text}}, t0))(t)
	}
	same(t, "rejected requests", len(must(s.RejectedRequests(ctx, a.ID, 0, 99))(t)), len(oddTexts))
}

// testAnySearch: no text makes a search fail.
func testAnySearch(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, _ := shop(t, s)
	ingest(t, s, a.ID, some(3)...)
	for _, text := range oddTexts {
		f := webhook.DeliveryFilter{State: webhook.State(text), Booking: text, Type: text, Limit: 9}
		same(t, "deliveries", len(must(s.Deliveries(ctx, a.ID, f))(t).Rows), 0)
		same(t, "counted", must(s.CountDeliveries(ctx, a.ID, f))(t).N, 0)
		events := webhook.EventFilter{Booking: text, Type: text, Channel: text, Tour: text, Limit: 9}
		same(t, "events", len(must(s.Events(ctx, a.ID, events))(t).Rows), 0)
		same(t, "bookings", len(must(s.BookingsFrom(ctx, a.ID, text, 9))(t)), 0)
		same(t, "a booking", len(must(s.BookingEvents(ctx, a.ID, text, 0, 9))(t).Rows), 0)
		same(t, "known bookings", len(must(s.KnownBookings(ctx, a.ID, []string{text}))(t)), 0)
		_, err := s.UserByEmail(ctx, text)
		wantError(t, "user", err, webhook.ErrNotFound)
		_, err = s.ConnectionByToken(ctx, text, text, t0)
		wantError(t, "address", err, webhook.ErrNotFound)
		_, err = s.EventID(ctx, a.ID, text)
		wantError(t, "event", err, webhook.ErrNotFound)
		_, err = s.Item(ctx, a.ID, webhook.Tours, text)
		wantError(t, "tour", err, webhook.ErrNotFound)
	}
}

// TestSameTables: PostgreSQL has the tables, columns and indexes of SQLite.
func TestSameTables(t *testing.T) {
	if !pgtest.Wanted() {
		t.Skip("it compares with a database on PostgreSQL: BOOKHOOK_TEST_DATABASE=postgres")
	}
	file := t.TempDir() + "/bookhook.db"
	ok(t, must(db.Create(t.Context(), file, nil))(t).Close())
	types := strings.NewReplacer("INTEGER", "bigint", "BLOB", "bytea", "TEXT", "text")
	sqlite := readTables(t, "sqlite", "file:"+file, `SELECT m.name, c.name || ' ' || c.type || CASE WHEN c."notnull" = 1 OR c.pk > 0 THEN ' not null' ELSE '' END || ' ' || COALESCE(c.dflt_value, '')
		FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name <> 'goose_db_version'
		UNION ALL SELECT tbl_name, name || ' ' || (sql LIKE '%UNIQUE INDEX%') || ' ' || COALESCE((SELECT group_concat(name, ', ') FROM pragma_index_info(i.name)), '')
			|| CASE WHEN sql LIKE '% WHERE %' THEN ' partial' ELSE '' END FROM sqlite_schema i WHERE type = 'index' AND sql IS NOT NULL`)
	for table, columns := range sqlite {
		for i, column := range columns {
			sqlite[table][i] = types.Replace(column)
		}
	}
	postgres := readTables(t, "pgx", dbtest.At(t), `SELECT table_name, column_name || ' ' || CASE data_type WHEN 'json' THEN 'text' ELSE data_type END
			|| CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END || ' ' || COALESCE(replace(column_default, '::text', ''), '')
		FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT IN ('bookhook_version', 'last_writer', 'replicas', 'shards')
		UNION ALL SELECT t.relname, i.relname || ' ' || x.indisunique::int || ' '
			|| (SELECT string_agg(a.attname, ', ' ORDER BY k.n) FROM unnest(x.indkey) WITH ORDINALITY k (attnum, n) JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum)
			|| CASE WHEN x.indpred IS NOT NULL THEN ' partial' ELSE '' END
		FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
		WHERE t.relnamespace = 'public'::regnamespace AND i.relname NOT LIKE '%\_pkey' AND i.relname NOT LIKE '%\_key' AND t.relname NOT IN ('bookhook_version', 'last_writer', 'replicas', 'shards')`)
	same(t, "tables", slices.Sorted(maps.Keys(postgres)), slices.Sorted(maps.Keys(sqlite)))
	for table, columns := range sqlite {
		same(t, table, postgres[table], columns)
	}
}

// readTables returns what a query finds of each table, sorted.
func readTables(t *testing.T, driver, at, query string) map[string][]string {
	t.Helper()
	pool := must(sql.Open(driver, at))(t)
	defer pool.Close()
	rows := must(pool.QueryContext(context.Background(), query))(t)
	defer rows.Close()
	tables := map[string][]string{}
	for rows.Next() {
		var table, what string
		ok(t, rows.Scan(&table, &what))
		tables[table] = append(tables[table], strings.TrimSpace(what))
	}
	ok(t, rows.Err())
	for _, all := range tables {
		slices.Sort(all)
	}
	return tables
}
