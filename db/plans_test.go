package db

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"bookhook/db/postgres/pgtest"
	"bookhook/webhook"
)

// parameters finds the highest $n of a query: it wants so many arguments.
var parameters = regexp.MustCompile(`\$(\d+)`)

// plan is what SQLite says it will do.
func plan(tb testing.TB, s *Store, query string) string {
	tb.Helper()
	pgtest.SkipIfWanted(tb, "the plans are those of SQLite")
	n := 0
	for _, match := range parameters.FindAllStringSubmatch(query, -1) {
		i, _ := strconv.Atoi(match[1])
		n = max(n, i)
	}
	scan := func(r scanner) (line string, err error) {
		var id, parent, unused int
		return line, r.Scan(&id, &parent, &unused, &line)
	}
	lines, err := list(tb.Context(), s.engine, scan, "EXPLAIN QUERY PLAN "+query, make([]any, n)...)
	if err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
	return strings.Join(lines, "\n")
}

// TestListPlans: each list is read from the index that was made for it, in its
// order.
func TestListPlans(t *testing.T) {
	const (
		all    = "INDEX deliveries_account (account_id=? AND id>? AND id<?)"
		hook   = "INDEX deliveries_webhook (webhook_id=? AND id>? AND id<?)"
		byID   = "INTEGER PRIMARY KEY (rowid=?)"
		state  = "INDEX deliveries_state (account_id=? AND state=? AND id>? AND id<?)"
		events = "INDEX events_account (account_id=? AND id>? AND id<?)"
	)
	s := openTemp(t)
	deliveries := func(f webhook.DeliveryFilter) listing {
		l, err := s.deliveryListing(t.Context(), 1, f)
		wantErr(t, "listing", err, nil)
		return l
	}
	tests := []struct {
		listing listing
		access  string
	}{
		{deliveries(webhook.DeliveryFilter{}), all},
		{deliveries(webhook.DeliveryFilter{Type: "x"}), all},
		{deliveries(webhook.DeliveryFilter{State: webhook.Delivered}), all},
		{deliveries(webhook.DeliveryFilter{Event: 1}), byID},
		{deliveries(webhook.DeliveryFilter{Webhook: 1}), hook},
		{deliveries(webhook.DeliveryFilter{Webhook: 1, State: webhook.Delivered, Type: "x"}), hook},
		{deliveries(webhook.DeliveryFilter{Booking: "x"}), byID},
		{deliveries(webhook.DeliveryFilter{Booking: "x", State: webhook.Failed, Webhook: 1, Type: "x"}), byID},
		{deliveries(webhook.DeliveryFilter{State: webhook.Failed}), state},
		{deliveries(webhook.DeliveryFilter{State: webhook.Pending}), state},
		{deliveries(webhook.DeliveryFilter{State: webhook.Cancelled, Webhook: 1}), state},
		{deliveries(webhook.DeliveryFilter{State: webhook.Pending, Webhook: 1, Type: "x"}), state},
		{s.eventListing(1, webhook.EventFilter{}), events},
		{s.eventListing(1, webhook.EventFilter{Type: "x"}), events},
		{s.eventListing(1, webhook.EventFilter{Booking: "x"}), "INDEX events_booking (account_id=? AND booking_id=? AND id>? AND id<?)"},
	}
	for _, tt := range tests {
		l := tt.listing
		planned(t, s, l.pageQuery(), "SEARCH "+l.table+" USING "+tt.access)
		for _, query := range []string{l.pageQuery(), l.endQuery()} {
			if got := plan(t, s, query); strings.Contains(got, "TEMP B-TREE") {
				t.Errorf("%s\nsorts: %s", query, got)
			}
		}
		if tt.access == byID { // few rows
			continue
		}
		planned(t, s, l.endQuery(), "SEARCH "+l.table+" USING COVERING "+tt.access)
		if len(l.filters) == 0 || l.limit > s.search { // the index has all that is asked
			planned(t, s, l.countQuery(), "SEARCH "+l.table+" USING COVERING "+tt.access)
		}
	}
}

// planned checks that the plan of a query has a line.
func planned(tb testing.TB, s *Store, query, line string) {
	tb.Helper()
	if got := plan(tb, s, query); !contains(strings.Split(got, "\n"), line) {
		tb.Errorf("%s\nplan: %s\nwant: %s", query, got, line)
	}
}

// TestBookingPlans: a booking and those that begin with a text are found by the index
// of bookings, the attempts of a delivery by its id.
func TestBookingPlans(t *testing.T) {
	s := openTemp(t)
	seen := 0
	for _, query := range recorded(t, s) {
		for part, line := range map[string]string{
			"booking_id > $2":  "SEARCH events USING COVERING INDEX events_booking (account_id=? AND booking_id>?)",
			"booking_id >= $2": "SEARCH events USING COVERING INDEX events_booking (account_id=? AND booking_id>?)",
			"booking_id = $2 AND booking_id <> '' AND id < $3 ORDER BY": "SEARCH events USING INDEX events_booking (account_id=? AND booking_id=? AND id<?)",
			"FROM attempts WHERE delivery_id = $1 AND number > $2":      "SEARCH attempts USING PRIMARY KEY (delivery_id=? AND number>? AND number<?)",
		} {
			if strings.Contains(query, part) {
				seen++
				planned(t, s, query, line)
			}
		}
	}
	want(t, "statements", seen, 5)
}

func TestWaitsForPlan(t *testing.T) {
	got := plan(t, openTemp(t), waitsFor)
	if index := "SEARCH o USING INDEX deliveries_order (webhook_id=? AND booking_id=? AND held=?)"; !strings.Contains(got, index) {
		t.Errorf("got %s, want %s", got, index)
	}
}

// TestOrderPlans: what a write of a booking asks is found by its order alone.
func TestOrderPlans(t *testing.T) {
	s := openTemp(t)
	seen := 0
	order := regexp.MustCompile(`booking_id = \$\d AND (h\.|o\.)?booking_id <> ''`)
	for _, query := range recorded(t, s) {
		if !order.MatchString(query) || strings.Contains(query, "account_id = $1") {
			continue
		}
		seen++
		for line := range strings.SplitSeq(plan(t, s, query), "\n") {
			if strings.Contains(line, " USING ") && !strings.Contains(line, "deliveries_order (webhook_id=? AND booking_id=?") && !strings.Contains(line, "PRIMARY KEY") {
				t.Errorf("%s\nplan: %s", query, line)
			}
		}
	}
	want(t, "statements", seen, 4)
}

// TestReplayPlans: the planning of a replay finds what is later in a booking by its
// index, and a replay's deliveries by its items, in their order.
func TestReplayPlans(t *testing.T) {
	s := openTemp(t)
	l, err := s.deliveryListing(t.Context(), 1, webhook.DeliveryFilter{Replay: 1})
	wantErr(t, "listing", err, nil)
	planned(t, s, l.pageQuery(), "SEARCH i USING PRIMARY KEY (replay_id=? AND delivery_id>? AND delivery_id<?)")
	planned(t, s, l.pageQuery(), "SEARCH d USING INTEGER PRIMARY KEY (rowid=?)")
	seen := 0
	for _, query := range recorded(t, s) {
		for alias, index := range map[string]string{
			"n": "SEARCH n USING COVERING INDEX events_booking (account_id=? AND booking_id=? AND id>?)",
			"p": "SEARCH p USING COVERING INDEX events_booking (account_id=? AND booking_id=? AND id<?)",
		} {
			if strings.Contains(query, "SELECT "+alias+".id FROM events "+alias) {
				planned(t, s, query, index)
				seen++
			}
		}
	}
	want(t, "statements", seen >= 4, true)
}

// allow are the plans that may scan: RecoverClaims runs once, at
// the start, over all pending deliveries and all replays; Due reads all webhooks;
// "found" and "newest" are the rows of a limited query; count_log has some seconds; what
// is pending in the whole instance is counted in the index of just that.
var allow = []string{
	"SCAN count_log", "SCAN counted", "SCAN CONSTANT ROW", "SCAN deliveries USING COVERING INDEX deliveries_due",
	"SCAN deliveries USING INDEX deliveries_due", "SCAN replays", "SCAN w", "SCAN found", "SCAN newest",
}

// TestPlans looks at each statement that the methods use: none scans or sorts.
func TestPlans(t *testing.T) {
	s := openTemp(t)
	seen := 0
	table := regexp.MustCompile(`\b(FROM|UPDATE|INTO) (deliveries|events|replays|replay_items|lookups|attempts|webhooks|connections|rejected_requests|sessions WHERE hash|clients|client_tokens WHERE client_id|client_tokens t|attempt_counts|event_counts)\b`)
	for _, query := range recorded(t, s) {
		if !table.MatchString(query) || strings.Contains(query, "INSERT") {
			continue
		}
		seen++
		for line := range strings.SplitSeq(plan(t, s, query), "\n") {
			if strings.HasPrefix(line, "SCAN") && !contains(allow, line) || strings.Contains(line, "TEMP B-TREE") {
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

// TestHomePlans: the overviews find everything by an index, and what is rare by one of
// its own.
func TestHomePlans(t *testing.T) {
	s := openTemp(t)
	for query, lines := range map[string][]string{
		readChecklist: {
			"SEARCH e USING INDEX events_account (account_id=?)", "SEARCH d USING INDEX deliveries_account (account_id=?)",
			"SEARCH r USING COVERING INDEX rejected_requests_account (account_id=?)", "SEARCH u USING COVERING INDEX users_account (account_id=?)",
		},
		givenUp:      {"SEARCH w USING INDEX webhooks_account (account_id=?)", "SEARCH d USING INDEX deliveries_failed (webhook_id=? AND finished_at>?)"},
		laterGivenUp: {"SEARCH d USING INDEX deliveries_failed (webhook_id=? AND finished_at>?)", "SEARCH n EXISTS USING COVERING INDEX events_booking (account_id=? AND booking_id=? AND id>?)"},
		fmt.Sprintf(bookingEvents, "booking_id IN ($3, $4)"): {"SEARCH events USING INDEX events_booking (account_id=? AND booking_id=?)"},
		unsentSince:    {"SEARCH events USING INDEX events_account (account_id=? AND id>?)"},
		rejectedSince:  {"SEARCH rejected_requests USING INDEX rejected_requests_digest (account_id=?)"},
		accountsInNeed: {"SEARCH w USING INDEX webhooks_attention (account_id=?)", "SCAN w USING INDEX webhooks_attention"},
		fmt.Sprintf(storedAttempts, `account_id`, ofAccounts+`account_id IN ($2, $3)`): {"SEARCH attempt_counts USING PRIMARY KEY (account_id=? AND webhook_id=? AND hour>?)"},
	} {
		for _, line := range lines {
			planned(t, s, query, line)
		}
	}
}

// TestReconcilePlans: a comparison reads by keys: what a webhook was sent, the events of
// some bookings, and its own rows.
func TestReconcilePlans(t *testing.T) {
	s := openTemp(t)
	seen := 0
	for _, query := range recorded(t, s) {
		for part, line := range map[string]string{
			"SELECT id, booking_id FROM deliveries":                      "SEARCH deliveries USING INDEX deliveries_webhook (webhook_id=? AND id>? AND id<?)",
			"SELECT DISTINCT booking_id FROM events":                     "SEARCH events USING COVERING INDEX events_booking (account_id=? AND booking_id=?)",
			"FROM reconciliation_held h JOIN events e":                   "SEARCH e USING INDEX events_booking (account_id=? AND booking_id=?)",
			"UPDATE reconciliation_held SET outcome = 1":                 "SEARCH reconciliation_held USING PRIMARY KEY (account_id=? AND reconciliation_id=? AND key=?)",
			"AND outcome = 0 ORDER BY key":                               "SEARCH reconciliation_held USING PRIMARY KEY (account_id=? AND reconciliation_id=? AND key>?)",
			"AND outcome >= 2 ORDER BY key":                              "SEARCH reconciliation_held USING INDEX reconciliation_held_unsent (account_id=? AND reconciliation_id=? AND key>?)",
			"SELECT booking_id, delivery_id FROM reconciliation_lacking": "SEARCH reconciliation_lacking USING PRIMARY KEY (account_id=? AND reconciliation_id=? AND booking_id>?)",
			"EXISTS (SELECT 1 FROM reconciliation_lacking g":             "SEARCH g EXISTS USING PRIMARY KEY (account_id=? AND reconciliation_id=? AND booking_id=?)",
		} {
			if strings.Contains(query, part) {
				seen++
				planned(t, s, query, line)
			}
		}
	}
	want(t, "statements", seen, 8)
}
