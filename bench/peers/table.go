package main

import (
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"

	"bookhook/bench"
)

// result is what was measured.
type result struct {
	report   *bench.Report
	rounds   int
	peers    []bench.Peer
	postgres string // its version
}

// figure is one line of the table.
type figure struct {
	what, unit string
	of         func(*bench.Measurement) *float64 // nil: not measured, as on systems without /proc
}

var figures = []figure{
	{"accepted", "/s", func(m *bench.Measurement) *float64 { return &m.AcceptedPerSecond }},
	{"delivered", "/s", func(m *bench.Measurement) *float64 { return &m.DeliveredPerSecond }},
	{"accepted → delivered, p50", " ms", func(m *bench.Measurement) *float64 { return &m.Delivery.P50 }},
	{"accepted → delivered, p99", " ms", func(m *bench.Measurement) *float64 { return &m.Delivery.P99 }},
	{"processor time of a delivery", " µs", func(m *bench.Measurement) *float64 { return m.ServerCPU }},
	{"  of it, the database server", " µs", func(m *bench.Measurement) *float64 { return m.DatabaseCPU }},
	{"memory", " MB", func(m *bench.Measurement) *float64 { return m.Resident }},
}

var counts = []struct {
	what string
	of   func(*bench.Measurement) int
}{
	{"refused, in all rounds", func(m *bench.Measurement) int { return m.Refused }},
	{"lost, in all rounds", func(m *bench.Measurement) int { return m.Lost }},
	{"duplicated, in all rounds", func(m *bench.Measurement) int { return m.Duplicated }},
}

// write writes the figures, and Bookhook's as multiples of each peer's.
func (r result) write(to io.Writer) error {
	fmt.Fprintf(to, `
Bookhook beside River %s (pgx %s) on PostgreSQL %s, %s, %s, %d cores; a commit to disk takes %.2f ms.
Load, receiver and both databases (a commit is on disk before the answer) on this machine; events of %d bytes, %d connections.
%d rounds of %g s: median [least–most].

`, version("github.com/riverqueue/river"), version("github.com/jackc/pgx/v5"), r.postgres, r.report.System, r.report.Go, r.report.Cores,
		r.report.CommitMS, r.report.EventBytes, r.report.Connections, r.rounds, r.report.Seconds)
	table := tabwriter.NewWriter(to, 0, 0, 3, ' ', 0)
	names := make([]string, 0, len(r.ways()))
	for _, way := range r.ways()[1:] {
		names = append(names, string(way))
	}
	row := func(cells ...string) { fmt.Fprintln(table, strings.Join(cells, "\t")) }
	row(append([]string{"", "SQLite"}, names...)...)
	for _, f := range figures {
		row(r.cells(f)...)
	}
	for _, c := range counts {
		cells := []string{c.what}
		for _, way := range r.ways() {
			cells = append(cells, fmt.Sprint(sum(r.of(way), c.of)))
		}
		row(cells...)
	}
	row()
	row(append([]string{"Bookhook on SQLite as a multiple of", ""}, names...)...)
	for _, f := range figures {
		row(r.multiples(f, bench.Stored)...)
	}
	row()
	row(append([]string{"one replica on PostgreSQL as a multiple of", ""}, names...)...)
	for _, f := range figures {
		row(r.multiples(f, bench.Replicas(1))...)
	}
	return table.Flush()
}

// version returns the version of a module that is linked in.
func version(module string) string {
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, m := range build.Deps {
			if m.Path == module {
				return m.Version
			}
		}
	}
	return "of an unknown version"
}

// ways are Bookhook on SQLite, the peers, and Bookhook on PostgreSQL.
func (r result) ways() []bench.Way {
	ways := []bench.Way{bench.Stored}
	for _, p := range r.peers {
		ways = append(ways, bench.Way(p.Name))
	}
	return append(ways, bench.Replicas(1), bench.Replicas(2), bench.Replicas(4))
}

// of returns the measurements of one program, by round.
func (r result) of(way bench.Way) (all []*bench.Measurement) {
	for _, m := range r.report.Measurements {
		if m.Way == way {
			all = append(all, m)
		}
	}
	return all
}

func (r result) cells(f figure) []string {
	cells := []string{f.what}
	for _, way := range r.ways() {
		var values []float64
		for _, m := range r.of(way) {
			if v := f.of(m); v != nil {
				values = append(values, *v)
			}
		}
		cells = append(cells, spread(values, f.unit))
	}
	return cells
}

// multiples compares one way with the others in the same round.
func (r result) multiples(f figure, way bench.Way) []string {
	cells := []string{f.what, ""}
	ours := r.of(way)
	for _, other := range r.ways()[1:] {
		var values []float64
		for i, m := range r.of(other)[:min(len(r.of(other)), len(ours))] {
			if a, b := f.of(ours[i]), f.of(m); a != nil && b != nil && *b > 0 {
				values = append(values, *a / *b)
			}
		}
		cells = append(cells, spread(values, " ×"))
	}
	return cells
}

// spread returns the median, the least and the most of some values.
func spread(values []float64, unit string) string {
	if len(values) == 0 {
		return "–"
	}
	slices.Sort(values)
	median := (values[(len(values)-1)/2] + values[len(values)/2]) / 2
	return fmt.Sprintf("%s%s [%s–%s]", amount(median), unit, amount(values[0]), amount(values[len(values)-1]))
}

func amount(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func sum(all []*bench.Measurement, of func(*bench.Measurement) int) (n int) {
	for _, m := range all {
		n += of(m)
	}
	return n
}

// check fails if a program has lost or duplicated something, or Bookhook has a
// delivery that it has not recorded. (River's process fails by itself then.)
func (r result) check() error {
	for _, m := range r.report.Measurements {
		if m.Lost+m.Duplicated+m.Unrecorded > 0 {
			return fmt.Errorf("%s: %d events lost, %d duplicated, %d webhooks with a delivery that was not recorded", m.Way, m.Lost, m.Duplicated, m.Unrecorded)
		}
	}
	return nil
}
