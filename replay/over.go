package replay

import (
	"time"

	"bookhook/platforms"
)

// Over reports whether all tours of a booking are over at now, as far as the event
// says; loc is the zone of times that have none. A tour is over at its end. If only its
// day is known, or only when it starts, it is over when that day has ended. One without
// a date has the booking's; without that, or with a date that cannot be read, it is not
// known, and the booking not over.
func Over(b *platforms.Booking, loc *time.Location, now time.Time) bool {
	if b == nil {
		return false
	}
	whole := platforms.BookedTour{StartsAt: b.StartsAt, EndsAt: b.EndsAt}
	tours := b.Tours
	if len(tours) == 0 {
		tours = []platforms.BookedTour{whole}
	}
	for _, tour := range tours {
		if tour.StartsAt == "" && tour.EndsAt == "" {
			tour = whole
		}
		end, known := endOf(tour, loc)
		if !known || end.After(now) {
			return false
		}
	}
	return true
}

// endOf returns when a tour ends.
func endOf(t platforms.BookedTour, loc *time.Location) (end time.Time, known bool) {
	if t.EndsAt != "" {
		end, timed, known := readTime(t.EndsAt, loc)
		if timed {
			return end, known
		}
		return nextDay(end, loc), known
	}
	start, _, known := readTime(t.StartsAt, loc)
	return nextDay(start, loc), known
}

// nextDay returns when the day of t has ended.
func nextDay(t time.Time, loc *time.Location) time.Time {
	y, m, d := t.In(loc).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, loc)
}

// layouts are how platforms write a time, with and without seconds; those with a zone
// are first.
var layouts = []string{
	time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04",
}

// readTime reads a time, or a day, as a platform wrote it.
func readTime(text string, loc *time.Location) (t time.Time, timed, known bool) {
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, text, loc); err == nil {
			return t, true, true
		}
	}
	t, err := time.ParseInLocation(time.DateOnly, text, loc)
	return t, false, err == nil
}
