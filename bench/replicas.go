package bench

import (
	"context"
	"slices"
	"strconv"
)

// replicaNumbers are how many replicas share a database on PostgreSQL in a measurement.
var replicaNumbers = []int{1, 2, 4}

// manyAccounts is the shape for replicas: they share the accounts. The receivers of all
// accounts have room for more requests than the load has connections.
var manyAccounts = shape{accounts: 60, perAccount: 1, concurrency: commonRequests}

// leastShare is how much, in percent of what one replica delivers, several deliver at
// least when all of them and the database share one machine.
const leastShare = 90

// replicated returns the measurements of replicas on PostgreSQL.
func (o Options) replicated() []phase {
	turns := make([]phase, len(replicaNumbers))
	for i, n := range replicaNumbers {
		turns[i] = phase{name: "saturation", way: Replicas(n), number: n, shape: manyAccounts, time: o.Time}
	}
	return turns
}

// Replicas is the way of a number of replicas on PostgreSQL.
func Replicas(n int) Way {
	if n == 1 {
		return "PostgreSQL, 1 replica"
	}
	return Way("PostgreSQL, " + strconv.Itoa(n) + " replicas")
}

// RunReplicas measures the highest rate of one and of several replicas that share a
// database on PostgreSQL (Options.NewDatabase), each twice, in both orders. With an error,
// it returns what was measured until then.
func RunReplicas(ctx context.Context, o Options) (*Report, error) {
	return o.run(ctx, func(r *runner, ctx context.Context) error {
		turns := o.replicated()
		back := slices.Clone(turns)
		slices.Reverse(back)
		for _, turn := range slices.Concat(turns, back) {
			if _, err := r.measure(ctx, turn); err != nil {
				return err
			}
		}
		r.report.replicas()
		return nil
	})
}

// replicas adds the figures of replicas, each the mean of its measurements.
func (r *Report) replicas() {
	alone := r.mean(Replicas(1), func(m *Measurement) *float64 { return &m.DeliveredPerSecond })
	for _, n := range replicaNumbers {
		way := Replicas(n)
		what := string(way) + ": "
		delivered := r.mean(way, func(m *Measurement) *float64 { return &m.DeliveredPerSecond })
		r.add(what+"delivered", "/s", delivered)
		if n > 1 && delivered != nil && alone != nil {
			r.check(Line{What: "  share of what one replica delivers", Unit: "%", Measured: ratio(100**delivered, *alone), Limit: new(float64(leastShare))})
		}
		r.add("  accepted → delivered, p50", "ms", r.mean(way, func(m *Measurement) *float64 { return &m.Delivery.P50 }))
		r.add("  accepted → delivered, p99", "ms", r.mean(way, func(m *Measurement) *float64 { return &m.Delivery.P99 }))
		r.add("  processor time of a delivery, with a local database", "µs", r.mean(way, func(m *Measurement) *float64 { return m.ServerCPU }))
		r.add("  of it, the database", "µs", r.mean(way, func(m *Measurement) *float64 { return m.DatabaseCPU }))
		r.add("  load and receiver beside it", "µs", r.mean(way, func(m *Measurement) *float64 { return m.OwnCPU }))
	}
	r.checkNone("lost, in all measurements", func(m *Measurement) int { return m.Lost })
	r.checkNone("duplicated, in all measurements", func(m *Measurement) int { return m.Duplicated })
	r.checkNone("webhooks with a delivery that was not recorded", func(m *Measurement) int { return m.Unrecorded })
}

// mean returns the mean of a figure over the measurements of a way; nil if one is missing.
func (r *Report) mean(way Way, of func(*Measurement) *float64) *float64 {
	sum, n := 0.0, 0
	for _, m := range r.Measurements {
		if m.Way != way {
			continue
		}
		v := of(m)
		if v == nil {
			return nil
		}
		sum, n = sum+*v, n+1
	}
	return ratio(sum, float64(n))
}
