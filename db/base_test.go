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
	"slices"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

// writeBase writes the stored database anew. Its schema is that of the first
// release: once that is out, it must not be used any more.
var writeBase = flag.Bool("write-base", false, "write testdata/base.db.gz")

const baseFile = "testdata/base.db.gz"

// TestBase: a stored database of the first schema is brought up to date with all
// that is in it, and then has the schema of a new one.
func TestBase(t *testing.T) {
	if *writeBase {
		storeBase(t)
	}
	path := filepath.Join(t.TempDir(), "bookhook.db")
	file, err := os.Open(baseFile)
	ok(t, err)
	defer file.Close()
	unzip, err := gzip.NewReader(file)
	ok(t, err)
	content, err := io.ReadAll(unzip)
	ok(t, err)
	ok(t, os.WriteFile(path, content, 0o600))
	s := must(db.Open(t.Context(), path))(t)
	readBase(t, s)
	ok(t, s.Close())
	fresh := filepath.Join(t.TempDir(), "fresh.db")
	ok(t, must(db.Create(t.Context(), fresh))(t).Close())
	same(t, "schema", schema(t, path), schema(t, fresh))
}

// storeBase fills a database with something of each kind.
func storeBase(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "bookhook.db")
	s := must(db.Create(ctx, path))(t)
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
	d := deliver(t, s, a.ID, 3)
	ingest(t, s, a.ID, asked("lookup", "77"))
	claim(t, s, w.ID, 1, t0)
	finish(t, s, failure(d[0], w.ID, 1, time.Time{}), t0)
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

// readBase reads what storeBase wrote.
func readBase(t *testing.T, s *db.Store) {
	ctx := t.Context()
	accounts := must(s.Accounts(ctx))(t)
	same(t, "accounts", len(accounts), 1)
	a := accounts[0]
	same(t, "name, webhooks and users", []any{a.Name, a.Webhooks, a.Users}, []any{"Sail & Sea ⛵", 1, 1})
	w := must(s.Webhooks(ctx, a.ID))(t)[0]
	same(t, "webhook", []any{w.Name, w.URL, w.AllEvents, w.Ordered, w.Enabled}, []any{"Accounting", "https://example.com/hook?a=1", true, true, true})
	same(t, "tokens, clients, drafts", []int{
		len(must(s.Tokens(ctx, a.ID))(t)), len(must(s.Clients(ctx, a.ID))(t)), len(must(s.Drafts(ctx, a.ID))(t)),
	}, []int{1, 1, 1})
	same(t, "setting", string(must(s.Setting(ctx, "key", nil))(t)), "value")
	same(t, "channel", must(s.Item(ctx, a.ID, webhook.Channels, "3930"))(t).Name, "Website")
	same(t, "rejected requests", bodies(must(s.RejectedRequests(ctx, a.ID, 0, 9))(t)), []string{"{"})
	same(t, "lookups", len(must(s.Lookups(ctx, 0, 9))(t)), 1)
	rows := must(s.Deliveries(ctx, a.ID, webhook.DeliveryFilter{Limit: 9}))(t).Rows
	states := []any{}
	for _, d := range rows {
		states = append(states, d.State, d.Held)
	}
	same(t, "deliveries", states, []any{webhook.Pending, true, webhook.Pending, false, webhook.Failed, false})
	attempts := must(s.Attempts(ctx, a.ID, rows[2].ID))(t)
	same(t, "attempt", attempts[0].Error, webhook.NewMessage("failure.status", 500))
	event := must(s.Event(ctx, a.ID, rows[2].Event))(t)
	same(t, "event", []any{event.TourIDs, event.Decisions[0].Delivery}, []any{[]string{"12", "15"}, rows[2].ID})
	actions := []string{}
	for _, e := range must(s.Audit(ctx, a.ID, 0, 20))(t) {
		actions = append(actions, e.Action)
	}
	same(t, "activity", slices.Contains(actions, "webhook.created"), true)
	same(t, "claimed", len(claim(t, s, w.ID, 9, t0)), 1)
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
