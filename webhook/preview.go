package webhook

// What a preview looks at, and shows.
const (
	PreviewEvents   = 200 // newest events
	PreviewExamples = 3   // of those that are sent, and of those that are not
)

// Preview is what a webhook would have received of the newest events of its account.
type Preview struct {
	Events  int // how many there are, at most PreviewEvents
	Sent    int
	Matched []PreviewRow // examples, newest first
	Skipped []PreviewRow // examples; the first ones have different reasons
}

// PreviewRow is an event with the decision that would be made on it.
type PreviewRow struct {
	Event  Event
	Reason Reason
}

// Preview matches the newest events of the account, newest first, with a webhook as if
// it were on. Test events do not count, nor those that wait for a lookup.
func (s *Subscriptions) Preview(c Config, events []EventRow) Preview {
	var p Preview
	var repeated []PreviewRow // skipped for a reason that has an example
	shown := map[Reason]bool{}
	w := &Webhook{Config: c, Enabled: true}
	for i := range events {
		e := &events[i].Event
		if e.Test || e.Lookup || p.Events == PreviewEvents {
			continue
		}
		row := PreviewRow{Event: *e, Reason: s.match(w, e)}
		p.Events++
		switch {
		case row.Reason == Matched:
			p.Sent++
			p.Matched = append(p.Matched, row)
		case shown[row.Reason]:
			repeated = append(repeated, row)
		default:
			shown[row.Reason] = true
			p.Skipped = append(p.Skipped, row)
		}
	}
	p.Skipped = append(p.Skipped, repeated...)
	p.Matched, p.Skipped = p.Matched[:min(len(p.Matched), PreviewExamples)], p.Skipped[:min(len(p.Skipped), PreviewExamples)]
	return p
}
