package stats

import (
	"cmp"
	"slices"
	"time"
)

// Silence is that nothing comes where something usually does by this hour of the week.
type Silence struct {
	Platform string
	Channel  string    // its id; "" for events without a channel
	All      bool      // nothing comes from any channel of the platform; Channel is empty
	Since    time.Time // nothing has come since then, at least
	Usual    int64     // how much usually comes from then until now
}

// How silence is recognised. A source is compared with the same hours of the same
// weekday of the weeks before. It must have sent something in each of them, and so much
// that nothing is no chance: of eight events on average, none at all comes once in three
// thousand times.
const (
	silenceWeeks    = 8 // that are compared
	silenceMinWeeks = 2 // of which a source must have been there in the last ones; before, nothing is known of it
	silenceUsual    = 8 // events, the median of the weeks
	silenceLeast    = 2 // events, in each week
	silenceHours    = 24
)

// silenceWindows are the hours that are looked at, the shortest first.
var silenceWindows = []int{2, 4, 8, 16, silenceHours}

// Arrivals are the events of an account in the last hours, and in the same hours of the
// weeks before.
type Arrivals struct {
	now     time.Time // the start of the hour that is running
	weeks   [silenceWeeks + 1]time.Time
	sources map[source]*arrivals
}

type source struct {
	platform, channel string
	all               bool
}

// arrivals has the events by week and hour: 0 is this week, and the hour that is
// running.
type arrivals [silenceWeeks + 1][silenceHours + 1]int64

// NewArrivals returns empty ones for an account whose clock is that of loc.
func NewArrivals(now time.Time, loc *time.Location) *Arrivals {
	a := &Arrivals{now: Hour(now, loc), sources: map[source]*arrivals{}}
	for week := range a.weeks {
		a.weeks[week] = a.now.In(loc).AddDate(0, 0, -7*week)
	}
	return a
}

// Window returns the hours of a week that count: those that start from the first time
// to the second. It reports false after the last week. The last week must be added
// first: what did not send anything then is not silent now, and is not kept.
func (a *Arrivals) Window(week int) (from, to time.Time, ok bool) {
	if week >= len(a.weeks) {
		return from, to, false
	}
	end := a.weeks[week]
	return end.Add(-silenceHours * time.Hour), end, true
}

// Add adds the events of an hour, which must be in one of the windows; this week and the
// last one first: what sent nothing in either cannot be silent, and is not kept.
func (a *Arrivals) Add(platform, channel string, hour time.Time, events int64) {
	for week, end := range a.weeks {
		back := int(end.Sub(hour) / time.Hour)
		if hour.After(end) || back > silenceHours {
			continue
		}
		for _, of := range [...]source{{platform: platform, channel: channel}, {platform: platform, all: true}} {
			if a.sources[of] == nil && week <= 1 {
				a.sources[of] = &arrivals{}
			}
			if a.sources[of] != nil {
				a.sources[of][week][back] += events
			}
		}
		return
	}
}

// Silences returns what is silent: a whole platform instead of each of its channels.
func (a *Arrivals) Silences() []Silence {
	var all []Silence
	silent := map[string]bool{} // platforms
	for of, events := range a.sources {
		if s, is := a.silence(of, events); is {
			all = append(all, s)
			silent[of.platform] = silent[of.platform] || of.all
		}
	}
	all = slices.DeleteFunc(all, func(s Silence) bool { return !s.All && silent[s.Platform] })
	slices.SortFunc(all, func(a, b Silence) int {
		return cmp.Or(cmp.Compare(a.Platform, b.Platform), cmp.Compare(a.Channel, b.Channel))
	})
	return all
}

// silence looks for the shortest window in which a source is silent.
func (a *Arrivals) silence(of source, events *arrivals) (s Silence, silent bool) {
	weeks := events.weeks()
	for _, hours := range silenceWindows {
		if events.in(0, 0, hours) > 0 || weeks < silenceMinWeeks {
			return s, false
		}
		usual := make([]int64, weeks)
		for i := range usual {
			usual[i] = events.in(i+1, 1, hours) // the hour that is running would count as a whole one
		}
		slices.Sort(usual)
		if median := usual[(weeks-1)/2]; usual[0] >= silenceLeast && median >= silenceUsual {
			since := a.now.Add(-time.Duration(hours) * time.Hour)
			return Silence{Platform: of.platform, Channel: of.channel, All: of.all, Since: since, Usual: median}, true
		}
	}
	return s, false
}

// weeks counts the weeks before this one from which on the source was there.
func (e *arrivals) weeks() int {
	for week := silenceWeeks; week > 0; week-- {
		if e.in(week, 0, silenceHours) > 0 {
			return week
		}
	}
	return 0
}

// in counts the events of a week in hours, counted back from the one that is running.
func (e *arrivals) in(week, from, to int) (n int64) {
	for _, events := range e[week][from : to+1] {
		n += events
	}
	return n
}
