package webhook

import "time"

// StartOfDay returns the first instant at which it is that day, or a later one, in
// a time zone. That is not always midnight: where clocks change at midnight, the
// day begins at 01:00, or has two midnights, and some zones have left out a day.
// A day ends where the next one begins: StartOfDay(year, month, day+1, loc).
func StartOfDay(year int, month time.Month, day int, loc *time.Location) time.Time {
	midnight := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	t := midnight.Add(-36 * time.Hour).In(loc) // no zone is that far ahead
	for {
		_, offset := t.Zone()
		start, end := t.ZoneBounds()
		first := midnight.Add(time.Duration(-offset) * time.Second).In(loc)
		if first.Before(start) { // midnight was skipped when this period began
			first = start
		}
		if end.IsZero() || first.Before(end) {
			return first
		}
		t = end
	}
}
