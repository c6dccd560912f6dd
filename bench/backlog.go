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

// What the backlog is made of, and what it may cost.
const (
	backlogRate  = 500 // events/s; the tired receiver takes some 80
	backlogTimes = 4   // as long as another measurement, unless the options say how long
	mostGrowth   = 1.3 // of the memory, once its caches are full
	mostDrift    = 2.0 // of the time to accept
	leastDrift   = 20  // ms; below it, a drift does not matter
)

// settling is how long the caches of the database take to fill at that rate.
const settling = 20 * time.Second

// backlog is a receiver that takes less than what comes in, for a long time,
// and then is well again.
func (r *runner) backlog(ctx context.Context) error {
	long := cmp.Or(r.Backlog, backlogTimes*r.Time)
	warm := min(max(long/10, settling), long/2)
	var shown waiting
	m, err := r.measure(ctx, phase{
		name: "backlog", way: Stored, shape: shape{accounts: 1, perAccount: 1, concurrency: commonRequests},
		rate: backlogRate, warm: warm, time: long - warm,
		target: func(int) string { return r.receiver.tired },
		ended: func(ctx context.Context, process *server, made *shop) (err error) {
			shown, err = process.waiting(ctx, made.tokens[0], made.webhooks[0][0])
			r.receiver.wake()
			return err
		},
	})
	if err != nil {
		return err
	}
	r.tellBacklog(m, shown)
	return nil
}

func (r *runner) tellBacklog(m *Measurement, shown waiting) {
	t := r.report
	t.tell("backlog: accepted", "/s", &m.AcceptedPerSecond)
	t.tell("  delivered meanwhile", "/s", &m.DeliveredPerSecond)
	t.tell("  refused, told to come again", "", new(float64(m.Busy)))
	t.judge(Line{What: "  refused otherwise", Measured: new(float64(m.Refused - m.Busy)), Limit: new(0.0), AtMost: true})
	t.tell("  resident memory, once it has settled", "MB", m.ResidentBefore)
	t.tell("  at its end", "MB", m.Resident)
	var growth *float64
	if m.ResidentBefore != nil && m.Resident != nil {
		growth = ratio(*m.Resident, *m.ResidentBefore)
	}
	t.judge(Line{What: "  as a multiple", Unit: "×", Measured: growth, Limit: new(mostGrowth), AtMost: true})
	t.tell("  accept, p99 in the first quarter", "ms", &m.AcceptFirst.P99)
	last := Line{What: "  accept, p99 in the last quarter", Unit: "ms", Limit: new(max(mostDrift*m.AcceptFirst.P99, leastDrift)), AtMost: true}
	if m.AcceptLast.Count > 0 {
		last.Measured = &m.AcceptLast.P99
	}
	t.judge(last)
	t.tell("  waiting at its end", "", new(float64(m.Waiting)))
	t.tell(fmt.Sprintf("  waiting, as the API says (it counts to %d)", webhook.CountCap), "", new(float64(shown.Count)))
	t.tell("  the oldest, as the API says, since", "s", shown.age())
	t.tell("  until all was delivered by a receiver that is well", "s", &m.DrainSeconds)
	t.tell("  drained", "/s", ratio(float64(m.Waiting), m.DrainSeconds))
	t.judge(Line{What: "  lost", Measured: new(float64(m.Lost)), Limit: new(0.0), AtMost: true})
	t.judge(Line{What: "  duplicated", Measured: new(float64(m.Duplicated)), Limit: new(0.0), AtMost: true})
}

// waiting is what the API says of the deliveries that wait for a webhook.
type waiting struct {
	Count    int        `json:"count"`
	OldestAt *time.Time `json:"oldest_at"`
	asked    time.Time
}

// age is that of the oldest in seconds; nil when nothing waits.
func (w waiting) age() *float64 {
	if w.OldestAt == nil {
		return nil
	}
	return new(w.asked.Sub(*w.OldestAt).Seconds())
}

func (s *server) waiting(ctx context.Context, token string, w *webhook.Webhook) (waiting, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/api/v1/webhooks/"+w.Ref(), http.NoBody)
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
		return waiting{}, fmt.Errorf("ask what waits: %s", response.Status)
	}
	if err := json.NewDecoder(response.Body).Decode(&hook); err != nil {
		return waiting{}, fmt.Errorf("ask what waits: %w", err)
	}
	hook.Waiting.asked = time.Now()
	return hook.Waiting, nil
}
