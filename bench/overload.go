package bench

import (
	"context"
	"fmt"

	"bookhook/webhook"
)

// What is required of a Bookhook that gets events as fast as it takes them, whatever
// the concurrency of its webhook.
const (
	leastDelivered = 90 // percent of what is accepted meanwhile, and of the best concurrency
	mostDelay      = 50 // ms from accepted to delivered, median
	aimedDelay     = 20
)

// overload measures the highest rate with webhooks of different concurrency. If
// accepting won against delivering, ever more would wait, for no other reason than
// that events come in fast.
func (r *runner) overload(ctx context.Context) error {
	var all []*Measurement
	best := 0.0
	for _, concurrency := range []int{webhook.DefaultConcurrency, 64, 128} {
		m, err := r.measure(ctx, phase{
			name: fmt.Sprintf("overload, concurrency %d", concurrency), way: Stored, time: r.Time,
			shape: shape{accounts: 1, perAccount: 1, concurrency: concurrency},
		})
		if err != nil {
			return err
		}
		all, best = append(all, m), max(best, m.DeliveredPerSecond)
	}
	for _, m := range all {
		t := r.report
		t.add(m.Name+": delivered", "/s", &m.DeliveredPerSecond)
		t.checkShare("  share of the accepted", m.DeliveredPerSecond, m.AcceptedPerSecond, leastDelivered, 99)
		t.checkShare("  share of the best concurrency", m.DeliveredPerSecond, best, leastDelivered, 97)
		t.checkAtMost("  accepted → delivered, p50", "ms", &m.Delivery.P50, mostDelay, aimedDelay)
		t.add("  processor time of a delivery", "µs", m.ServerCPU)
	}
	return nil
}
