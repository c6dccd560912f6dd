package db_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/db/dbtest"
	"bookhook/db/postgres/pgtest"
	"bookhook/webhook"
)

// writeBase writes the stored database again: go test ./db -run TestBase -write-base.
// Its schema is that of the first release, so do that no more once it is out: what
// changes then is a new migration.
var writeBase = flag.Bool("write-base", false, "write "+baseFile)

const baseFile = "sqlite/testdata/base.db.gz"

// TestBase: a stored database of the first schema is brought up to date with all
// that is in it, and then has the schema of a new one. So a change of the first
// migration fails here.
func TestBase(t *testing.T) {
	if *writeBase {
		storeBase(t)
	}
	path := filepath.Join(t.TempDir(), "bookhook.db")
	ok(t, os.WriteFile(path, unzip(t, baseFile), 0o600))
	execute(t, path, `UPDATE connections SET old_token = 'the old address', old_until = $1 WHERE platform = 'wink'`, t0.Add(time.Hour).UnixMilli())
	s := must(db.Open(t.Context(), path, nil))(t)
	readBase(t, s)
	ok(t, s.Close())
	fresh := filepath.Join(t.TempDir(), "fresh.db")
	ok(t, must(db.Create(t.Context(), fresh, nil))(t).Close())
	same(t, "schema", schema(t, path), schema(t, fresh))
}

// baseDump is what pg_dump --inserts said of a database to which baseFile was moved, with
// the tables of PostgreSQL's first migration.
const baseDump = "postgres/testdata/00001.sql.gz"

// TestBaseOnServer is TestBase on PostgreSQL.
func TestBaseOnServer(t *testing.T) {
	if !pgtest.Wanted() {
		t.Skip("it upgrades a database on PostgreSQL: BOOKHOOK_TEST_DATABASE=postgres")
	}
	at, fresh := pgtest.Database(t, "template1"), dbtest.At(t)
	pgtest.Exec(t, at, string(unzip(t, baseDump)))
	pgtest.Exec(t, at, `UPDATE connections SET old_token = 'the old address', old_token_hash = sha256('the old address'), old_until = $1 WHERE platform = 'wink'`, t0.Add(time.Hour).UnixMilli())
	readBase(t, openFile(t, at))
	const columns = `SELECT table_name, concat_ws(' ', column_name, data_type, is_nullable, column_default, collation_name) FROM information_schema.columns
		WHERE table_schema = 'public' UNION ALL SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'`
	same(t, "tables", readTables(t, "pgx", at, columns), readTables(t, "pgx", fresh, columns))
}

// unzip returns what a compressed file has.
func unzip(t *testing.T, name string) []byte {
	t.Helper()
	file, err := os.Open(name)
	ok(t, err)
	defer file.Close()
	content, err := gzip.NewReader(file)
	ok(t, err)
	return must(io.ReadAll(content))(t)
}

// storeBase fills a database with something of each kind.
func storeBase(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "bookhook.db")
	s := must(db.Create(ctx, path, nil))(t)
	a, w := orderedShop(t, s)
	newUser(t, s, a.ID, "ops@example.com")
	newToken(t, s, a.ID, "Till", "hash")
	c := newClient(t, s, a.ID, "Reseller", "hash")
	ok(t, s.AddClientToken(ctx, c.ID, []byte("token"), "a b", t0.Add(time.Hour), t0))
	ok(t, s.AddSession(ctx, []byte("session"), nil, session(0)))
	must(s.Setting(ctx, "key", []byte("value")))(t)
	ok(t, s.AddItem(ctx, a.ID, webhook.Channels, webhook.Item{ID: "3930", Name: "Website"}, at(t0)))
	ok(t, s.AddItem(ctx, a.ID, webhook.Tours, webhook.Item{ID: "12", Name: "Harbour"}, at(t0)))
	newDraft(t, s, a.ID)
	ok(t, s.AddRejectedRequest(ctx, rejected(a.ID, "{"), t0))
	d := deliver(t, s, a.ID, 5)
	for _, end := range []webhook.Result{success(d[0], w.ID, 1), failure(d[1], w.ID, 1, time.Time{})} {
		claim(t, s, w.ID, 1, t0)
		finish(t, s, end, t0)
	}
	ok(t, s.Cancel(ctx, a.ID, d[2], at(t0)))
	noted := ingest(t, s, a.ID, asked("noted", "76"), asked("lookup", "77"))[0].Event
	noted.Note = webhook.NewMessage("lookup.bug")
	must(complete(t, s, a.ID, []webhook.Event{noted}, t0, waiting))(t)
	must(s.SetEnabled(ctx, a.ID, addHook(t, s, a.ID, named("Off")).ID, false, at(t0)))(t)
	useWink(t, s, a.ID)
	ok(t, s.Close())
	content, err := os.ReadFile(path)
	ok(t, err)
	var zipped bytes.Buffer
	zip := gzip.NewWriter(&zipped)
	_, err = zip.Write(content)
	ok(t, err)
	ok(t, zip.Close())
	ok(t, os.WriteFile(baseFile, zipped.Bytes(), 0o600))
}

func named(name string) func(*webhook.Webhook) {
	return func(w *webhook.Webhook) { w.Name = name }
}

// readBase reads what storeBase wrote.
func readBase(t *testing.T, s *db.Store) {
	ctx := t.Context()
	accounts := must(s.Accounts(ctx))(t)
	same(t, "accounts", len(accounts), 1)
	a := accounts[0]
	same(t, "name, webhooks and users", []any{a.Name, a.Webhooks, a.Users}, []any{"Sail & Sea ⛵", 2, 1})
	webhooks := must(s.Webhooks(ctx, a.ID))(t)
	w, off := webhooks[0], webhooks[1]
	same(t, "one that is off", []any{off.Name, off.Enabled, off.OffReason}, []any{"Off", false, webhook.OffByUser})
	same(t, "webhook", []any{w.Name, w.URL, w.AllEvents, w.Ordered, w.Enabled}, []any{"Accounting", "https://example.com/hook?a=1", true, true, true})
	same(t, "who created them, from the activity log", []string{w.CreatedBy, off.CreatedBy}, []string{at(t0).By, at(t0).By})
	same(t, "tokens, clients, drafts", []int{
		len(must(s.Tokens(ctx, a.ID))(t)), len(must(s.Clients(ctx, a.ID))(t)), len(must(s.Drafts(ctx, a.ID))(t)),
	}, []int{1, 1, 1})
	connections := must(s.Connections(ctx, a.ID))(t)
	same(t, "connections", len(connections), 2)
	for _, c := range connections {
		same(t, "found by its address", must(s.ConnectionByToken(ctx, c.Platform, c.Token, t0))(t), c)
	}
	same(t, "found by its old address", must(s.ConnectionByToken(ctx, "wink", "the old address", t0))(t).Platform, "wink")
	same(t, "setting", string(must(s.Setting(ctx, "key", nil))(t)), "value")
	same(t, "channel", must(s.Item(ctx, a.ID, webhook.Channels, "3930"))(t).Name, "Website")
	same(t, "rejected requests", bodies(must(s.RejectedRequests(ctx, a.ID, 0, 9))(t)), []string{"{"})
	same(t, "lookups", len(must(s.Lookups(ctx, webhook.AllShards, 0, 9))(t)), 1)
	readBaseLog(t, s, a.ID)
	actions := []string{}
	for _, e := range must(s.Audit(ctx, a.ID, 0, 20))(t) {
		actions = append(actions, e.Action)
	}
	same(t, "activity", actions, []string{
		"platform.on", "webhook.off", "webhook.created", "delivery.cancelled", "tours.added", "channels.added",
		"client.created", "token.created", "user.added", "webhook.created", "account.created",
	})
	same(t, "claimed", len(claim(t, s, w.ID, 9, t0)), 2)
}

func readBaseLog(t *testing.T, s *db.Store, account webhook.AccountID) {
	ctx := t.Context()
	rows := must(s.Deliveries(ctx, account, webhook.DeliveryFilter{Limit: 9}))(t).Rows
	states := []any{}
	for _, d := range rows {
		states = append(states, d.State, d.Held, len(must(s.Attempts(ctx, account, d.ID, 0))(t)))
	}
	same(t, "states, held or not, and attempts of the deliveries", states, []any{
		webhook.Pending, false, 0, webhook.Pending, true, 0, webhook.Pending, false, 0,
		webhook.Cancelled, false, 0, webhook.Failed, false, 1, webhook.Delivered, false, 1,
	})
	failed := rows[len(rows)-2]
	same(t, "why it failed", must(s.Attempts(ctx, account, failed.ID, 0))(t)[0].Error, webhook.NewMessage("failure.status", 500))
	event := must(s.Event(ctx, account, failed.Event))(t)
	same(t, "event", []any{event.TourIDs, event.Decisions[0].Delivery}, []any{[]string{"12", "15"}, failed.ID})
	same(t, "note", must(s.Event(ctx, account, rows[0].Event))(t).Note, webhook.NewMessage("lookup.bug"))
}

// schema is the SQL of all tables and indexes, by their names.
func schema(t *testing.T, path string) map[string]string {
	pool, err := sql.Open("sqlite", "file:"+path)
	ok(t, err)
	defer pool.Close()
	rows, err := pool.QueryContext(context.Background(), `SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL`)
	ok(t, err)
	defer rows.Close()
	all := map[string]string{}
	for rows.Next() {
		var name, text string
		ok(t, rows.Scan(&name, &text))
		all[name] = text
	}
	ok(t, rows.Err())
	return all
}
