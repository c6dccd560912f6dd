package stats

import (
	"slices"
	"sort"
	"time"
)

// Period is how far a report goes back.
type Period string

// The periods.
const (
	Day   Period = "24h" // by hours
	Week  Period = "7d"  // by quarters of a day
	Month Period = "30d" // by days
)

// Periods lists all periods, the shortest first.
var Periods = []Period{Day, Week, Month}

// Valid reports whether it is one of Periods.
func (p Period) Valid() bool { return slices.Contains(Periods, p) }

// Starts returns when the buckets of a report begin, by the clock of loc: the last one
// holds now. A day has 23 or 25 hours when the clock is changed.
func (p Period) Starts(now time.Time, loc *time.Location) []time.Time {
	switch p {
	case Day:
		return hours(now, loc)
	case Week:
		return parts(now, loc, 7, 4)
	default:
		return parts(now, loc, 30, 1)
	}
}

func hours(now time.Time, loc *time.Location) []time.Time {
	starts := make([]time.Time, 24)
	for i := range starts {
		starts[i] = Hour(now.Add(time.Duration(i-23)*time.Hour), loc)
	}
	return starts
}

// parts returns as many parts of days, each day cut into perDay.
func parts(now time.Time, loc *time.Location, days, perDay int) []time.Time {
	starts := make([]time.Time, days*perDay)
	local := now.In(loc)
	part := local.Hour() * perDay / 24
	for i := range starts {
		before := len(starts) - 1 - i
		starts[i] = time.Date(local.Year(), local.Month(), local.Day(), (part-before)*24/perDay, 0, 0, 0, loc)
	}
	return starts
}

// Midnight returns when the day that holds now began by the clock of loc.
func Midnight(now time.Time, loc *time.Location) time.Time { return parts(now, loc, 1, 1)[0] }

// Hour returns the start of the hour of loc's clock that holds a time.
func Hour(at time.Time, loc *time.Location) time.Time {
	local := at.In(loc)
	return local.Add(-time.Duration(local.Minute())*time.Minute - time.Duration(local.Second())*time.Second - time.Duration(local.Nanosecond()))
}

// Report is what happened in a period, in buckets of equal parts of the clock.
type Report struct {
	Period  Period
	Buckets []Bucket // in the order of time, the last one still running
	Total   Counts
}

// Bucket is one part of a report's period.
type Bucket struct {
	Start time.Time
	Counts
}

// NewReport returns a report without counts.
func NewReport(p Period, now time.Time, loc *time.Location) *Report {
	r := &Report{Period: p}
	for _, start := range p.Starts(now, loc) {
		r.Buckets = append(r.Buckets, Bucket{Start: start})
	}
	return r
}

// Since is when the report begins.
func (r *Report) Since() time.Time { return r.Buckets[0].Start }

// At returns the bucket that holds a time; nil if that is before the first.
func (r *Report) At(at time.Time) *Bucket {
	i := partOf(at, len(r.Buckets), func(i int) time.Time { return r.Buckets[i].Start })
	if i < 0 {
		return nil
	}
	return &r.Buckets[i]
}

// partOf returns the last of n ascending times that is not after at; -1 if there is none.
func partOf(at time.Time, n int, start func(int) time.Time) int {
	return sort.Search(n, func(i int) bool { return start(i).After(at) }) - 1
}

// Sum sets the total of the report.
func (r *Report) Sum() {
	r.Total = Counts{}
	for i := range r.Buckets {
		r.Total.Add(&r.Buckets[i].Counts)
	}
}

// Today is what happened since midnight by an account's clock, and what is waiting now.
type Today struct {
	Since         time.Time
	Events        int64 // received
	Attempts      Counts
	Waiting       int       // pending deliveries; at most webhook.CountCap + 1
	OldestWaiting time.Time // when the oldest of them was created; zero if there is none
	Retried       int       // of TodayRead of them: an attempt has failed

	Unsent, Decided int // of the newest Decided events, at most TodayRead, those that were sent to no webhook; zero of the instance
}

// TodayRead is how many rows are read for a number of Today that is not kept.
const TodayRead = 1000

// SparklineDays is how many days the small charts of lists show.
const SparklineDays = 14

// Sparkline is what one webhook, or one account, did day by day, the last one today.
type Sparkline struct {
	starts []time.Time
	Days   [SparklineDays]DayCounts
}

// DayCounts are the attempts of a day.
type DayCounts struct{ Delivered, FailedAttempts, GivenUp int64 }

// NewSparkline returns one without counts, for the last days by the clock of loc.
func NewSparkline(now time.Time, loc *time.Location) *Sparkline {
	return &Sparkline{starts: parts(now, loc, SparklineDays, 1)}
}

// Since is when the first day began.
func (l *Sparkline) Since() time.Time { return l.starts[0] }

// Start is when a day began.
func (l *Sparkline) Start(day int) time.Time { return l.starts[day] }

// day returns the counts of the day of a time; nil before the first one.
func (l *Sparkline) day(at time.Time) *DayCounts {
	i := partOf(at, len(l.starts), func(i int) time.Time { return l.starts[i] })
	if i < 0 {
		return nil
	}
	return &l.Days[i]
}

// Decode adds the counts of an hour as [Counts.Encode] returned them; those of before the
// first day are left out. It reads no durations: lists have many hours.
func (l *Sparkline) Decode(hour time.Time, encoded []byte) error {
	if day := l.day(hour); day != nil {
		return day.decode(encoded)
	}
	return nil
}

// Count adds an attempt.
func (l *Sparkline) Count(a Attempt) {
	day := l.day(a.StartedAt)
	switch {
	case day == nil:
		return
	case a.Reason == "":
		day.Delivered++
	default:
		day.FailedAttempts++
	}
	if a.GivenUp {
		day.GivenUp++
	}
}
