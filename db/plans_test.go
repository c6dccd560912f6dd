package db

import (
	"context"
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

// TestListPlans: each filter uses the index that was made for it, and no list
// is sorted.
func TestListPlans(t *testing.T) {
	now := time.Now()
	tests := []struct {
		filter webhook.DeliveryFilter
		index  string
	}{
		{webhook.DeliveryFilter{}, "deliveries_account (account_id=?)"},
		{webhook.DeliveryFilter{Before: 1}, "deliveries_account (account_id=? AND id<?)"},
		{webhook.DeliveryFilter{After: 1}, "deliveries_account (account_id=? AND id>?)"},
		{webhook.DeliveryFilter{Since: now, Until: now}, "deliveries_account (account_id=? AND id>? AND id<?)"},
		{webhook.DeliveryFilter{Type: "x"}, "deliveries_account (account_id=?)"},
		{webhook.DeliveryFilter{State: webhook.Failed}, "deliveries_failed (account_id=?)"},
		{webhook.DeliveryFilter{State: webhook.Failed, Before: 1}, "deliveries_failed (account_id=? AND id<?)"},
		{webhook.DeliveryFilter{State: webhook.Failed, Webhook: 1}, "deliveries_failed (account_id=?)"},
		{webhook.DeliveryFilter{Booking: "1"}, "deliveries_booking (account_id=? AND booking_id=?)"},
		{webhook.DeliveryFilter{Booking: "1", Before: 1}, "deliveries_booking (account_id=? AND booking_id=? AND id<?)"},
		{webhook.DeliveryFilter{Booking: "1", State: webhook.Failed, Webhook: 1}, "deliveries_booking (account_id=? AND booking_id=?)"},
		{webhook.DeliveryFilter{Webhook: 1}, "deliveries_webhook (webhook_id=?)"},
		{webhook.DeliveryFilter{Webhook: 1, Before: 1}, "deliveries_webhook (webhook_id=? AND id<?)"},
		{webhook.DeliveryFilter{Webhook: 1, State: webhook.Pending}, "deliveries_webhook (webhook_id=?)"},
		{webhook.DeliveryFilter{Event: 1}, "deliveries_event (event_id=?)"},
		{webhook.DeliveryFilter{Event: 1, Webhook: 1}, "deliveries_event (event_id=?)"},
	}
	s := openTemp(t)
	for _, tt := range tests {
		where := deliveryConditions(1, tt.filter).where()
		got := plan(t, s, `SELECT `+deliveryColumns+` FROM deliveries`+where+` ORDER BY id DESC LIMIT $20`)
		want(t, where, got, "SEARCH deliveries USING INDEX "+tt.index)
	}
}

// allow are the plans that are in order although they scan: Heal runs once, at
// the start, over what is pending; Due walks the webhooks.
var allow = []string{"SCAN deliveries USING INDEX deliveries_due", "SCAN w", "SCAN found"}

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
	table := regexp.MustCompile(`\b(FROM|UPDATE|INTO) (deliveries|events|attempts|webhooks|sessions WHERE hash)\b`)
	for _, query := range queries {
		if !table.MatchString(query) || strings.Contains(query, "INSERT") {
			continue
		}
		seen++
		for line := range strings.SplitSeq(plan(t, s, query), "\n") {
			scans := strings.HasPrefix(line, "SCAN") && !contains(allow, line)
			if scans || strings.Contains(line, "TEMP B-TREE") {
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
	w, err := s.CreateWebhook(ctx, &webhook.Webhook{Account: a.ID, Events: []string{"*"}, Channels: webhook.NewFilter("", nil), Tours: webhook.NewFilter("", nil), Enabled: true}, nil, "x", now)
	check(err)
	accepted, err := s.Ingest(ctx, a.ID, []webhook.Event{{ExternalID: "x"}}, now, now, func(*webhook.Webhook) bool { return false })
	check(err)
	d := accepted[0].Decisions[0].Delivery
	_, _, err = s.Claim(ctx, w.ID, 1, now, now)
	check(err)
	check(s.Heal(ctx, now))
	check(s.Release(ctx, d, 7, now))
	_, err = s.Finish(ctx, webhook.Result{Delivery: d, Webhook: w.ID, State: webhook.Failed, Attempt: webhook.Attempt{Number: 1, Failure: webhook.FailStatus}}, now)
	check(err)
	_, err = s.Attempts(ctx, a.ID, d)
	check(err)
	_, err = s.Replay(ctx, a.ID, d, "x", now)
	check(err)
	check(s.Cancel(ctx, a.ID, d, "x", now))
	for _, f := range []webhook.DeliveryFilter{{}, {State: webhook.Failed, Before: 1}, {State: webhook.Pending}, {Webhook: 1}, {Event: 1}, {Booking: "1"}, {Type: "x", Since: now}} {
		_, err = s.Deliveries(ctx, a.ID, f)
		check(err)
		_, err = s.CountDeliveries(ctx, a.ID, f)
		check(err)
	}
	for _, f := range []webhook.EventFilter{{}, {Before: 1}, {Booking: "1"}, {Booking: "1", Before: 1}, {Type: "x"}, {Since: now, Until: now}} {
		_, err = s.Events(ctx, a.ID, f)
		check(err)
	}
	_, err = s.Event(ctx, a.ID, accepted[0].Event.ID)
	check(err)
	_, err = s.Delivery(ctx, a.ID, d)
	check(err)
	_, err = s.Due(ctx)
	check(err)
	_, err = s.DeleteWebhook(ctx, a.ID, w.ID, "x", now)
	check(err)
	_, err = s.Prune(ctx, now, now, 1)
	check(err)
}
