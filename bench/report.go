package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"text/tabwriter"
	"time"
)

// Report is the result of a run.
type Report struct {
	Version      string         `json:"version"`
	System       string         `json:"system"`
	Go           string         `json:"go"`
	Cores        int            `json:"cores"`
	GOMAXPROCS   int            `json:"gomaxprocs"`
	CommitMS     float64        `json:"commit_ms"` // one page synced to disk, median
	Began        time.Time      `json:"began"`
	Seconds      float64        `json:"seconds"` // of each measurement
	Connections  int            `json:"connections"`
	EventBytes   int            `json:"event_bytes"`
	Lines        []Line         `json:"lines"`
	Measurements []*Measurement `json:"measurements"`
}

// Verdict says whether a figure meets its limit.
type Verdict string

// The verdicts; "" is for a figure without a limit.
const (
	Pass    Verdict = "PASS"
	Reached Verdict = "PASS, aim reached"
	Miss    Verdict = "MISS"
	Unknown Verdict = "not measured"
)

// Line is one figure with its limit and its aim.
type Line struct {
	What     string   `json:"what"`
	Unit     string   `json:"unit"`
	Measured *float64 `json:"measured"`
	Limit    *float64 `json:"limit"` // at least so much, or at most
	Aim      *float64 `json:"aim"`
	AtMost   bool     `json:"at_most"`
	Verdict  Verdict  `json:"verdict"`
}

func newReport(o Options) *Report {
	return &Report{
		Version: o.Version, System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), Cores: runtime.NumCPU(),
		GOMAXPROCS: runtime.GOMAXPROCS(0), Began: time.Now().UTC(), Seconds: o.Time.Seconds(), Connections: o.Connections,
		EventBytes: eventSize,
	}
}

// add adds a figure without a limit.
func (r *Report) add(what, unit string, measured *float64) {
	line := Line{What: what, Unit: unit, Measured: measured}
	if measured == nil {
		line.Verdict = Unknown
	}
	r.Lines = append(r.Lines, line)
}

// ratio returns nil if b is 0, as in a run that was too short for the machine.
func ratio(a, b float64) *float64 {
	if b == 0 {
		return nil
	}
	return new(a / b)
}

// checkShare adds the share of a part in a whole, in percent.
func (r *Report) checkShare(what string, part, whole, limit, aim float64) {
	r.check(Line{What: what, Unit: "%", Measured: ratio(100*part, whole), Limit: &limit, Aim: &aim})
}

// checkAtMost adds a figure that must not exceed its limit.
func (r *Report) checkAtMost(what, unit string, measured *float64, limit, aim float64) {
	r.check(Line{What: what, Unit: unit, Measured: measured, Limit: &limit, Aim: &aim, AtMost: true})
}

// check adds a figure with its verdict.
func (r *Report) check(line Line) {
	meets := func(bound float64) bool {
		if line.AtMost {
			return *line.Measured <= bound
		}
		return *line.Measured >= bound
	}
	switch {
	case line.Measured == nil:
		line.Verdict = Unknown
	case !meets(*line.Limit):
		line.Verdict = Miss
	case line.Aim != nil && meets(*line.Aim):
		line.Verdict = Reached
	default:
		line.Verdict = Pass
	}
	r.Lines = append(r.Lines, line)
}

// checkNone adds a count that must be 0 over all measurements.
func (r *Report) checkNone(what string, of func(*Measurement) int) {
	n := 0
	for _, m := range r.Measurements {
		n += of(m)
	}
	r.check(Line{What: what, Measured: new(float64(n)), Limit: new(0.0), AtMost: true})
}

// Missed reports whether a figure misses its limit.
func (r *Report) Missed() bool {
	for _, line := range r.Lines {
		if line.Verdict == Miss {
			return true
		}
	}
	return false
}

// WriteJSON writes the report as indented JSON.
func (r *Report) WriteJSON(to io.Writer) error {
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// WriteTable writes the figures as a table for people.
func (r *Report) WriteTable(to io.Writer) error {
	fmt.Fprintf(to, `
Bookhook %s on %s, %s, %d cores, GOMAXPROCS %d; a commit to disk takes %.2f ms.
Load, Bookhook, database (synchronous=FULL) and receiver on this machine; events of %d bytes, %d connections, %g s for each.

`, r.Version, r.System, r.Go, r.Cores, r.GOMAXPROCS, r.CommitMS, r.EventBytes, r.Connections, r.Seconds)
	table := tabwriter.NewWriter(to, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "what\tmeasured\tlimit\taim\tverdict")
	for _, line := range r.Lines {
		limit, aim := "", ""
		if line.Limit != nil {
			limit = "at least " + amount(line.Limit, line.Unit)
			if line.AtMost {
				limit = "at most " + amount(line.Limit, line.Unit)
			}
		}
		if line.Aim != nil {
			aim = amount(line.Aim, line.Unit)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", line.What, amount(line.Measured, line.Unit), limit, aim, line.Verdict)
	}
	return table.Flush()
}

// amount formats a figure with its significant digits.
func amount(v *float64, unit string) string {
	if v == nil {
		return "–"
	}
	format := "%.0f"
	switch {
	case unit == "ms" && *v < 100, unit == "×":
		format = "%.2f"
	case unit == "%":
		format = "%.1f"
	}
	text := fmt.Sprintf(format, *v)
	switch unit {
	case "":
		return text
	case "/s":
		return text + unit
	}
	return text + " " + unit
}
