package db

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"bookhook/webhook"
)

// parameters finds the highest $n of a query: it wants so many arguments.
var parameters = regexp.MustCompile(`\$(\d+)`)

// plan is what SQLite says it will do.
func plan(tb testing.TB, s *Store, query string) string {
	tb.Helper()
	n := 0
	for _, match := range parameters.FindAllStringSubmatch(query, -1) {
		i, _ := strconv.Atoi(match[1])
		n = max(n, i)
	}
	rows, err := s.readers.QueryContext(tb.Context(), "EXPLAIN QUERY PLAN "+query, make([]any, n)...)
	if err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	lines := []string{}
	for rows.Next() {
		var id, parent, unused int
		var line string
		if err := rows.Scan(&id, &parent, &unused, &line); err != nil {
			tb.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

// TestListPlans: each list is read from the index that was made for it, and only
// the merge of several webhooks is sorted.
func TestListPlans(t *testing.T) {
	const (
		logs  = "deliveries_webhook (webhook_id=? AND id>? AND id<?)"
		ended = "deliveries_ended (webhook_id=? AND state=? AND id>? AND id<?)"
		due   = "deliveries_due (webhook_id=? AND next_at>?)"
	)
	s := openTemp(t)
	deliveries := func(f webhook.DeliveryFilter) *stream { return s.deliveryStream(f, 10, false) }
	few := func(f webhook.DeliveryFilter) *stream { return s.deliveryStream(f, 10, true) }
	tests := []struct {
		stream *stream
		access string
	}{
		{deliveries(webhook.DeliveryFilter{}), "COVERING INDEX " + logs},
		{deliveries(webhook.DeliveryFilter{Webhook: 1}), "COVERING INDEX " + logs},
		{deliveries(webhook.DeliveryFilter{Type: "x"}), "INDEX " + logs},
		{deliveries(webhook.DeliveryFilter{State: webhook.Delivered, Type: "x"}), "INDEX " + logs},
		{deliveries(webhook.DeliveryFilter{State: webhook.Failed}), "COVERING INDEX " + ended},
		{deliveries(webhook.DeliveryFilter{State: webhook.Cancelled, Type: "x"}), "COVERING INDEX " + ended},
		{deliveries(webhook.DeliveryFilter{State: webhook.Pending}), "INDEX " + logs},
		{few(webhook.DeliveryFilter{State: webhook.Pending}), "COVERING INDEX " + due},
		{few(webhook.DeliveryFilter{State: webhook.Pending, Webhook: 1}), "COVERING INDEX " + due},
		{few(webhook.DeliveryFilter{State: webhook.Pending, Type: "x"}), "INDEX " + due},
		{s.events(webhook.EventFilter{}), "COVERING INDEX events_account (account_id=? AND id>? AND id<?)"},
		{s.events(webhook.EventFilter{Type: "x"}), "COVERING INDEX events_account (account_id=? AND id>? AND id<?)"},
		{s.events(webhook.EventFilter{Booking: "x"}), "COVERING INDEX events_booking (account_id=? AND booking_id=? AND id>? AND id<?)"},
	}
	for _, tt := range tests {
		q := tt.stream
		for _, query := range []string{q.newest(), q.size(q.rest)} {
			planned(t, s, query, "SEARCH x USING "+tt.access)
		}
		planned(t, s, q.newest(), "SEARCH "+q.table+" USING INTEGER PRIMARY KEY (rowid=?)")
		if sorts := strings.Contains(plan(t, s, q.newest()), "TEMP B-TREE"); sorts != (q.owners > 1 || q.few) {
			t.Errorf("%s\nsorts: %v, want it only to merge", q.newest(), sorts)
		}
		for _, query := range []string{q.reach(), q.size("")} {
			if !q.few || query != q.reach() { // which is not asked of the few
				planned(t, s, query, "SEARCH x USING COVERING "+strings.TrimPrefix(tt.access, "COVERING "))
			}
		}
	}
}

// planned checks that a line stands in the plan of a query.
func planned(tb testing.TB, s *Store, query, line string) {
	tb.Helper()
	if got := plan(tb, s, query); !contains(strings.Split(got, "\n"), line) {
		tb.Errorf("%s\nplan: %s\nwant: %s", query, got, line)
	}
}

func TestWaitsForPlan(t *testing.T) {
	got := plan(t, openTemp(t), waitsFor)
	if index := "SEARCH o USING INDEX deliveries_order (webhook_id=? AND booking_id=? AND next_at<?)"; !strings.Contains(got, index) {
		t.Errorf("got %s, want %s", got, index)
	}
}

// allow are the plans that are in order although they scan: Heal runs once, at
// the start, over what is pending; Due walks the webhooks; a list of ids is short.
var allow = []string{"SCAN deliveries USING INDEX deliveries_due", "SCAN w", "SCAN found", "SCAN json_each VIRTUAL TABLE INDEX 1:"}

// TestPlans calls everything that touches events, deliveries and attempts, and
// then looks at each statement that was prepared on the way.
func TestPlans(t *testing.T) {
	s := openTemp(t)
	useEverything(t, s)
	queries := []string{}
	s.prepared.Range(func(query, _ any) bool {
		queries = append(queries, query.(string))
		return true
	})
	for query := range s.writer.stmts {
		queries = append(queries, query)
	}
	seen := 0
	table := regexp.MustCompile(`\b(FROM|UPDATE|INTO) (deliveries|events|lookups|attempts|webhooks|connections|unrecognised|sessions WHERE hash|clients|client_tokens WHERE client_id|client_tokens t)\b`)
	for _, query := range queries {
		if !table.MatchString(query) || strings.Contains(query, "INSERT") {
			continue
		}
		seen++
		for line := range strings.SplitSeq(plan(t, s, query), "\n") {
			scans := strings.HasPrefix(line, "SCAN") && !contains(allow, line)
			merges := strings.Contains(query, "webhooks w CROSS JOIN") // of a stretch that is not much longer than a page
			if scans || strings.Contains(line, "TEMP B-TREE") && !merges {
				t.Errorf("%s\nplan: %s", query, line)
			}
		}
	}
	if seen < 30 {
		t.Errorf("got %d statements, want those of all methods", seen)
	}
}

func contains(list []string, text string) bool {
	for _, item := range list {
		if item == text {
			return true
		}
	}
	return false
}

func useEverything(tb testing.TB, s *Store) {
	tb.Helper()
	ctx, now := context.Background(), time.Now()
	var err error
	check := func(problem error) {
		tb.Helper()
		if problem != nil {
			tb.Fatal(problem)
		}
	}
	a, err := s.AddAccount(ctx, webhook.Account{Name: "A", TimeZone: "UTC", WebhookLimit: 10}, "x")
	check(err)
	w, err := s.CreateWebhook(ctx, &webhook.Webhook{Account: a.ID, Kind: webhook.Async, Events: []string{"*"}, Channels: webhook.NewFilter("", nil), Tours: webhook.NewFilter("", nil), Enabled: true}, nil, "x", now)
	check(err)
	accepted, err := s.Ingest(ctx, a.ID, []webhook.Event{{ExternalID: "x", Platform: webhook.DefaultPlatform}}, now, now, func(*webhook.Webhook) bool { return false })
	check(err)
	d := accepted[0].Decisions[0].Delivery
	_, _, err = s.Claim(ctx, w.ID, 1, now, now)
	check(err)
	check(s.Heal(ctx, now))
	check(s.Hasten(ctx, w.ID, now))
	check(s.Release(ctx, d, 7, now))
	_, err = s.Finish(ctx, webhook.Result{Delivery: d, Webhook: w.ID, State: webhook.Failed, Attempt: webhook.Attempt{Number: 1, Failure: webhook.FailStatus}}, now)
	check(err)
	_, err = s.Attempts(ctx, a.ID, d)
	check(err)
	_, err = s.Replay(ctx, a.ID, d, "x", now)
	check(err)
	check(s.Cancel(ctx, a.ID, d, "x", now))
	for _, f := range []webhook.DeliveryFilter{{}, {State: webhook.Failed, Before: 1}, {State: webhook.Pending}, {State: webhook.Delivered}, {Webhook: w.ID}, {Event: 1}, {Booking: "1"}, {Booking: "1", Event: 1, State: webhook.Failed}, {Type: "x", Since: now}} {
		f.Limit = 5
		_, err = s.Deliveries(ctx, a.ID, f)
		check(err)
		_, err = s.CountDeliveries(ctx, a.ID, f)
		check(err)
	}
	for _, f := range []webhook.EventFilter{{}, {Before: 1}, {Booking: "1"}, {Booking: "1", Before: 1}, {Type: "x"}, {Since: now, Until: now}} {
		f.Limit = 5
		_, err = s.Events(ctx, a.ID, f)
		check(err)
		_, err = s.CountEvents(ctx, a.ID, f)
		check(err)
	}
	_, err = s.Event(ctx, a.ID, accepted[0].Event.ID)
	check(err)
	_, err = s.EventID(ctx, a.ID, "x")
	check(err)
	useConnections(tb, s, a.ID, now)
	lookups, err := s.Ingest(ctx, a.ID, []webhook.Event{{Platform: webhook.DefaultPlatform, BookingID: "1", Inbound: true, Lookup: true}, {Platform: webhook.DefaultPlatform, BookingID: "1", Inbound: true}}, now, now, func(*webhook.Webhook) bool { return false })
	check(err)
	_, err = s.Lookups(ctx, 0, 1)
	check(err)
	_, err = s.Undecided(ctx, a.ID, lookups[0].Event.ID)
	check(err)
	_, err = s.LookedUp(ctx, a.ID, []webhook.Event{lookups[0].Event}, now, now, func(*webhook.Webhook) bool { return false })
	check(err)
	_, err = s.Delivery(ctx, a.ID, d)
	check(err)
	if _, err = s.WaitsFor(ctx, a.ID, d); !errors.Is(err, webhook.ErrNotFound) {
		tb.Fatal(err)
	}
	useClients(ctx, s, a.ID, check)
	_, err = s.Due(ctx)
	check(err)
	_, err = s.DeleteWebhook(ctx, a.ID, w.ID, "x", now)
	check(err)
	_, _, err = s.Prune(ctx, now, now, 0, 1)
	check(err)
}

func useConnections(tb testing.TB, s *Store, account webhook.ID, now time.Time) {
	tb.Helper()
	ctx := tb.Context()
	c, err := s.SwitchPlatform(ctx, account, "wink", true, "x", now)
	for _, call := range []func() error{
		func() error { return err },
		func() error { _, err := s.ConnectionByToken(ctx, "wink", c.Token, now); return err },
		func() error { _, err := s.Connection(ctx, account, "wink"); return err },
		func() error { _, err := s.Connections(ctx, account); return err },
		func() error { _, err := s.RotateAddress(ctx, account, "wink", "x", now); return err },
		func() error { return s.SaveSettings(ctx, account, "wink", nil, "x", now) },
		func() error { return s.Received(ctx, c, now) },
		func() error { return s.KeepUnrecognised(ctx, webhook.Unrecognised{Account: account}, now) },
		func() error { _, err := s.Unrecognised(ctx, account, 0, 5); return err },
		func() error { _, err := s.CountUnrecognised(ctx, account); return err },
	} {
		if err := call(); err != nil {
			tb.Fatal(err)
		}
	}
}

func useClients(ctx context.Context, s *Store, account webhook.ID, check func(error)) {
	now := time.Now()
	c, err := s.AddClient(ctx, webhook.Client{Account: account}, []byte("h"), "x")
	check(err)
	_, err = s.Clients(ctx, account)
	check(err)
	_, _, err = s.ClientByID(ctx, c.ID)
	check(err)
	check(s.AddClientToken(ctx, c.ID, []byte("t"), "", now.Add(time.Hour), now))
	_, err = s.ClientToken(ctx, []byte("t"), now)
	check(err)
	check(s.RevokeClient(ctx, account, c.ID, "x", now))
}
