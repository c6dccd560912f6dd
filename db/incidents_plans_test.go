package db

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"bookhook/db/group"
	"bookhook/fallback"
	"bookhook/incidents"
	"bookhook/webhook"
)

// TestFallbackPlans: what has failed for good since the last list is found by when it
// failed, not among all that failed in days.
func TestFallbackPlans(t *testing.T) {
	s := openTemp(t)
	planned(t, s, undeliveredRows, "SEARCH deliveries USING INDEX deliveries_failed (webhook_id=? AND finished_at>? AND finished_at<?)")
	planned(t, s, `SELECT EXISTS (`+undeliveredRows+`)`, "SEARCH deliveries USING INDEX deliveries_failed (webhook_id=? AND finished_at>? AND finished_at<?)")
}

// writeless is an engine that must not write.
type writeless struct {
	engine
	tb testing.TB
}

func (e writeless) Write(context.Context, group.Turn, func(engineTx) error) error {
	e.tb.Error("it writes")
	return nil
}

// TestNothingToListWritesNothing: what is asked every half minute leaves the writer alone.
func TestNothingToListWritesNothing(t *testing.T) {
	s := openTemp(t)
	all := s.engine
	defer func() { s.engine = all }()
	s.engine = writeless{all, t}
	now := time.Now()
	wantErr(t, "nothing", s.QueueFallback(t.Context(), fallback.Fallback{Account: 1, Webhook: 1}, fallback.Mail{Webhook: 1, From: now.Add(-time.Hour), Until: now}, now), webhook.ErrNotFound)
}

// TestIncidentPlans: what is read every half minute, and for each message, comes from
// indexes that hold little: not from all webhooks, deliveries or messages.
func TestIncidentPlans(t *testing.T) {
	s := openTemp(t)
	r := recorder{s.engine, map[string]bool{}}
	s.engine = r
	ctx, now := context.Background(), time.Now()
	key := incidents.Key{Account: 1, Kind: incidents.Outage, Subject: "x"}
	for _, use := range []func() error{
		func() error { _, err := s.KnownIncidents(ctx, now); return err },
		func() error { _, err := s.Troubles(ctx, []webhook.WebhookID{1}); return err },
		func() error { _, err := s.RejectedLately(ctx, now); return err },
		func() error { _, err := s.Incidents(ctx, 1, now, 9); return err },
		func() error { _, err := s.Undelivered(ctx, 1, 1, now, now, 9); return err },
		func() error { _, _, err := s.LastFailure(ctx, 1, 1); return ignoreNotFound(err) },
		func() error { _, _, err := s.DeliveredLate(ctx, 1, 1, now, now, now); return err },
		func() error { _, err := s.Fallbacks(ctx, []webhook.WebhookID{1}); return err },
		func() error { _, err := s.FallbackOf(ctx, 1); return ignoreNotFound(err) },
		func() error { _, err := s.FallbackByToken(ctx, []byte("x"), now); return ignoreNotFound(err) },
		func() error {
			_, _, err := s.ListedDeliveries(ctx, 1, fallback.Mail{Webhook: 1, From: now, Until: now}, 9)
			return err
		},
		func() error {
			_, _, err := s.ListedDeliveries(ctx, 1, fallback.Mail{Webhook: 1, From: now, Until: now, Last: fallback.Over}, 9)
			return err
		},
		func() error {
			return ignoreNotFound(s.QueueFallback(ctx, fallback.Fallback{}, fallback.Mail{Webhook: 1, From: now, Until: now}, now))
		},
		func() error {
			return s.ChangeIncident(ctx, incidents.Change{To: incidents.Incident{Key: key, Stage: incidents.Begun, OpenedAt: now}, Tell: true}, incidents.Notice{Mail: true}, now)
		},
	} {
		wantErr(t, "use", use(), nil)
	}
	s.engine = r.engine
	r.seen[`SELECT count(*) FROM outbox WHERE user_id = $1 AND id >= $2 AND kind = $3`] = true
	results := []string{"SCAN (subquery-1)", "SCAN r", "SCAN pending", "SCAN failed", "SCAN newest", "SCAN of_the_outage", "SCAN waiting", "SCAN given_up", "SCAN listed", "SCAN CONSTANT ROW"} // of what a query has found already
	for query := range r.seen {
		if !strings.HasPrefix(strings.TrimSpace(query), "SELECT") {
			continue
		}
		for line := range strings.SplitSeq(plan(t, s, query), "\n") {
			if strings.HasPrefix(line, "SCAN") && !strings.Contains(line, "webhooks_troubled") && !strings.Contains(line, "fallbacks_incident") && !slices.Contains(results, line) {
				t.Errorf("%s\n%s", query, plan(t, s, query))
			}
		}
	}
}
