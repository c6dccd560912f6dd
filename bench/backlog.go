package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"bookhook/webhook"
)

// The size of the backlog, and what it may cost.
const (
	backlogRate  = 500 // events/s; the overloaded receiver takes some 80
	backlogTimes = 4   // as long as the other measurements, unless the options say how long
	mostGrowth   = 1.3 // of the memory, once its caches are full
	mostDrift    = 2.0 // of the time to accept
	leastDrift   = 20  // ms; below it, a drift does not matter
)

// settling is how long the caches of the database take to fill at backlogRate.
const settling = 20 * time.Second

// backlog measures a receiver that is slower than the load for a long time and
// then recovers.
func (r *runner) backlog(ctx context.Context) error {
	long := cmp.Or(r.Backlog, backlogTimes*r.Time)
	warm := min(max(long/10, settling), long/2)
	var shown waiting
	m, err := r.measure(ctx, phase{
		name: "backlog", way: Stored, shape: shape{accounts: 1, perAccount: 1, concurrency: commonRequests},
		rate: backlogRate, warm: warm, time: long - warm,
		target: func(int) string { return r.receiver.overloaded },
		ended: func(ctx context.Context, process *server, sample *sampleAccounts) (err error) {
			shown, err = process.waiting(ctx, sample.tokens[0], sample.webhooks[0][0])
			r.receiver.recover()
			return err
		},
	})
	if err != nil {
		return err
	}
	r.reportBacklog(m, shown)
	return nil
}

func (r *runner) reportBacklog(m *Measurement, shown waiting) {
	t := r.report
	t.add("backlog: accepted", "/s", &m.AcceptedPerSecond)
	t.add("  delivered meanwhile", "/s", &m.DeliveredPerSecond)
	t.add("  refused, asked to retry", "", new(float64(m.Busy)))
	t.check(Line{What: "  refused otherwise", Measured: new(float64(m.Refused - m.Busy)), Limit: new(0.0), AtMost: true})
	t.add("  resident memory, once it has settled", "MB", m.ResidentBefore)
	t.add("  at its end", "MB", m.Resident)
	var growth *float64
	if m.ResidentBefore != nil && m.Resident != nil {
		growth = ratio(*m.Resident, *m.ResidentBefore)
	}
	t.check(Line{What: "  as a multiple", Unit: "×", Measured: growth, Limit: new(mostGrowth), AtMost: true})
	t.add("  accept, p99 in the first quarter", "ms", &m.AcceptFirst.P99)
	last := Line{What: "  accept, p99 in the last quarter", Unit: "ms", Limit: new(max(mostDrift*m.AcceptFirst.P99, leastDrift)), AtMost: true}
	if m.AcceptLast.Count > 0 {
		last.Measured = &m.AcceptLast.P99
	}
	t.check(last)
	t.add("  waiting at its end", "", new(float64(m.Waiting)))
	t.add(fmt.Sprintf("  waiting, as the API says (it counts to %d)", webhook.CountCap), "", new(float64(shown.Count)))
	t.add("  the oldest, as the API says, since", "s", shown.age())
	t.add("  until all was delivered after the receiver recovered", "s", &m.DrainSeconds)
	t.add("  drained", "/s", ratio(float64(m.Waiting), m.DrainSeconds))
	t.check(Line{What: "  lost", Measured: new(float64(m.Lost)), Limit: new(0.0), AtMost: true})
	t.check(Line{What: "  duplicated", Measured: new(float64(m.Duplicated)), Limit: new(0.0), AtMost: true})
}

// waiting is what the API says about the pending deliveries of a webhook.
type waiting struct {
	Count    int        `json:"count"`
	OldestAt *time.Time `json:"oldest_at"`
	asked    time.Time
}

// age returns the age of the oldest in seconds; nil if none is waiting.
func (w waiting) age() *float64 {
	if w.OldestAt == nil {
		return nil
	}
	return new(w.asked.Sub(*w.OldestAt).Seconds())
}

// waiting asks the API for the pending deliveries of the webhook.
func (s *server) waiting(ctx context.Context, token string, w *webhook.Webhook) (waiting, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/api/v1/webhooks/"+w.ID.String(), http.NoBody)
	if err != nil {
		return waiting{}, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return waiting{}, err
	}
	defer response.Body.Close()
	var hook struct {
		Waiting waiting `json:"waiting"`
	}
	if response.StatusCode != http.StatusOK {
		return waiting{}, fmt.Errorf("read what is waiting: %s", response.Status)
	}
	if err := json.NewDecoder(response.Body).Decode(&hook); err != nil {
		return waiting{}, fmt.Errorf("read what is waiting: %w", err)
	}
	hook.Waiting.asked = time.Now()
	return hook.Waiting, nil
}
