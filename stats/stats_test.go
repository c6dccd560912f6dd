package stats_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"bookhook/stats"
	"bookhook/webhook"
)

func zone(tb testing.TB, name string) *time.Location {
	tb.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		tb.Fatal(err)
	}
	return loc
}

var noon = time.Date(2026, 11, 29, 12, 34, 56, 789e6, time.UTC)

func TestLog(t *testing.T) {
	attempts := []stats.Attempt{
		{Account: 1, Webhook: math.MaxInt64, StartedAt: noon.Truncate(time.Millisecond)},
		{Account: math.MaxInt64, Webhook: 2, StartedAt: noon.Truncate(time.Millisecond), Reason: "status 503", GivenUp: true, Responded: true, Duration: 128 * time.Millisecond},
	}
	events := []stats.Event{{Account: 3, ReceivedAt: noon.Truncate(time.Millisecond), Platform: "tourcms", Channel: "3930 ⛵"}, {Account: 3, ReceivedAt: time.UnixMilli(0).UTC()}}
	var log stats.Log
	log.Attempt(attempts[0])
	log.Event(events[0])
	log.Attempt(attempts[1])
	log.Event(events[1])
	var gotAttempts []stats.Attempt
	var gotEvents []stats.Event
	err := log.Read(0, func(a stats.Attempt) { gotAttempts = append(gotAttempts, a) }, func(e stats.Event) { gotEvents = append(gotEvents, e) })
	if err != nil || !reflect.DeepEqual(gotAttempts, attempts) || !reflect.DeepEqual(gotEvents, events) {
		t.Errorf("got %+v %+v %v", gotAttempts, gotEvents, err)
	}
}

func TestDamaged(t *testing.T) {
	var log stats.Log
	log.Event(stats.Event{Account: 3, ReceivedAt: noon, Platform: "tourcms", Channel: "3930"})
	for n := range len(log) - 1 {
		if err := log[:n+1].Read(0, func(stats.Attempt) {}, func(e stats.Event) { t.Errorf("%d bytes read as %+v", n, e) }); err == nil {
			t.Errorf("no error after %d bytes", n+1)
		}
	}
	var counts stats.Counts
	for _, bad := range [][]byte{{}, {2}, {2, 2, 2, 200}, {2, 2, 0, 100, 2}, {2, 2, 0, 1}} {
		if err := counts.Decode(bad); err == nil {
			t.Errorf("%v is read as counts", bad)
		}
	}
}

// FuzzRead reads any bytes without a panic.
func FuzzRead(f *testing.F) {
	var log stats.Log
	log.Attempt(stats.Attempt{Account: 1, Webhook: 2, StartedAt: noon, Reason: "tls"})
	f.Add([]byte(log))
	f.Fuzz(func(t *testing.T, b []byte) {
		var counts stats.Counts
		_ = stats.Log(b).Read(0, counts.Count, func(stats.Event) {})
		if counts.Delivered < 0 || counts.FailedAttempts() < 0 {
			t.Errorf("negative: %+v", counts)
		}
		_ = counts.Decode(b)
	})
}

func someAttempts(n int) []stats.Attempt {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // no secret
	all := make([]stats.Attempt, n)
	for i := range all {
		a := &all[i]
		a.Account, a.Webhook = webhook.AccountID(1+random.IntN(2)), webhook.WebhookID(1+random.IntN(3))
		a.StartedAt = noon.Add(-time.Duration(random.IntN(100)) * time.Hour)
		if a.Responded = random.IntN(3) > 0; a.Responded {
			a.Duration = time.Duration(random.ExpFloat64() * float64(100*time.Millisecond))
		}
		if random.IntN(2) > 0 {
			a.Reason, a.GivenUp = []stats.Reason{"status 500", "timeout"}[random.IntN(2)], random.IntN(2) > 0
		}
	}
	return all
}

func TestCounts(t *testing.T) {
	var whole, parts stats.Counts
	for i, a := range someAttempts(500) {
		whole.Count(a)
		var one stats.Counts
		one.Count(a)
		if i%2 > 0 {
			parts.Add(&one)
		} else if err := parts.Decode(one.Encode()); err != nil {
			t.Fatal(err)
		}
	}
	if !reflect.DeepEqual(whole, parts) || whole.Delivered+whole.FailedAttempts() != 500 || len(whole.Failed) != 2 {
		t.Errorf("counted at once %+v, in parts %+v", whole, parts)
	}
}

func TestHours(t *testing.T) {
	kolkata := zone(t, "Asia/Kolkata")
	hours := stats.NewHours(func(webhook.AccountID) *time.Location { return kolkata })
	hours.Attempt(stats.Attempt{Account: 1, Webhook: 2, StartedAt: noon})
	hours.Event(stats.Event{Account: 1, ReceivedAt: noon, Platform: "wink", Channel: "7"})
	local, utc := time.Date(2026, 11, 29, 12, 30, 0, 0, time.UTC).UnixMilli(), time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC).UnixMilli()
	for _, key := range []stats.AttemptKey{{1, 2, local}, {1, 0, local}, {0, 0, utc}} {
		if hours.Attempts[key] == nil || hours.Attempts[key].Delivered != 1 {
			t.Errorf("no attempt under %+v: %v", key, hours.Attempts)
		}
	}
	want := map[stats.EventKey]int64{{1, local, "wink", "7"}: 1, {0, utc, "wink", ""}: 1}
	if !reflect.DeepEqual(hours.Events, want) || hours.Len() != 5 {
		t.Errorf("got %+v, want %+v", hours.Events, want)
	}
}

func TestQuantiles(t *testing.T) {
	var counts stats.Counts
	if got := counts.Durations.Quantile(0.95); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
	var all []time.Duration
	for _, a := range someAttempts(5000) {
		if a.Responded {
			all = append(all, a.Duration)
		}
		counts.Count(a)
	}
	slices.Sort(all)
	for _, q := range []float64{0.05, 0.5, 0.95, 1} {
		got, want := counts.Durations.Quantile(q), all[int(q*float64(len(all)-1))]
		if ratio := float64(got) / float64(want); ratio < 0.67 || ratio > 1.5 {
			t.Errorf("quantile %v: got %v, want %v", q, got, want)
		}
	}
	var slow stats.Counts
	slow.Count(stats.Attempt{Responded: true, Duration: time.Hour})
	if got := slow.Durations.Quantile(0.5); got < 16*time.Second {
		t.Errorf("of an hour: %v", got)
	}
}

func TestPeriods(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	for _, test := range []struct {
		period stats.Period
		now    time.Time
		loc    *time.Location
		n      int
		first  string
		last   string
	}{
		{stats.Day, noon, time.UTC, 24, "2026-11-28T13:00:00Z", "2026-11-29T12:00:00Z"},
		{stats.Day, noon, zone(t, "Asia/Kathmandu"), 24, "2026-11-28T19:00:00+05:45", "2026-11-29T18:00:00+05:45"},
		{stats.Week, noon, berlin, 28, "2026-11-22T18:00:00+01:00", "2026-11-29T12:00:00+01:00"},
		{stats.Month, noon, berlin, 30, "2026-10-31T00:00:00+01:00", "2026-11-29T00:00:00+01:00"},
		{stats.Month, noon.AddDate(0, 0, -20), berlin, 30, "2026-10-11T00:00:00+02:00", "2026-11-09T00:00:00+01:00"},
		// summer time ended at 03:00 on 25 October
		{stats.Day, time.Date(2026, 10, 25, 11, 0, 0, 0, time.UTC), berlin, 24, "2026-10-24T14:00:00+02:00", "2026-10-25T12:00:00+01:00"},
		{stats.Week, time.Date(2026, 10, 25, 11, 0, 0, 0, time.UTC), berlin, 28, "2026-10-18T18:00:00+02:00", "2026-10-25T12:00:00+01:00"},
	} {
		starts := test.period.Starts(test.now, test.loc)
		first, last := starts[0].Format(time.RFC3339), starts[len(starts)-1].Format(time.RFC3339)
		if len(starts) != test.n || first != test.first || last != test.last {
			t.Errorf("%s at %s in %s: %d from %s to %s", test.period, test.now, test.loc, len(starts), first, last)
		}
		if !slices.IsSortedFunc(starts, time.Time.Compare) {
			t.Errorf("%s at %s in %s: %v", test.period, test.now, test.loc, starts)
		}
	}
}

// The days on which the clock is changed have 23 and 25 hours, and each belongs to its day.
func TestDaysOfClockChanges(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	for day, hours := range map[string]int{"2026-03-29": 23, "2026-10-25": 25, "2026-06-01": 24} {
		start, _ := time.ParseInLocation(time.DateOnly, day, berlin)
		report := stats.NewReport(stats.Month, start.AddDate(0, 0, 3), berlin)
		bucket := report.At(start)
		for hour := start.AddDate(0, 0, -1); hour.Before(start.AddDate(0, 0, 2)); hour = hour.Add(time.Hour) {
			report.At(hour).Count(stats.Attempt{})
		}
		if int(bucket.Delivered) != hours || !bucket.Start.Equal(start) {
			t.Errorf("%s has %d hours, want %d", day, bucket.Delivered, hours)
		}
		if report.Sum(); report.Total.Delivered != int64(48+hours) {
			t.Errorf("three days around %s: %d hours", day, report.Total.Delivered)
		}
	}
	if report := stats.NewReport(stats.Day, noon, berlin); report.At(report.Since().Add(-time.Nanosecond)) != nil {
		t.Error("what was before the report is in it")
	}
}

func TestSparkline(t *testing.T) {
	line := stats.NewSparkline(noon, time.UTC)
	line.Count(stats.Attempt{StartedAt: noon})
	line.Count(stats.Attempt{StartedAt: noon.AddDate(0, 0, -13), Reason: "dns", GivenUp: true})
	line.Count(stats.Attempt{StartedAt: noon.AddDate(0, 0, -14)})
	stored := stats.Counts{Delivered: 300, Failed: map[stats.Reason]int64{stats.Reason(webhook.FailDNS): 2, stats.Reason(webhook.FailStatus): 500}, GivenUp: 4, Durations: stats.Durations{3: 9}}
	for _, days := range []int{-1, -14} {
		if err := line.Decode(noon.AddDate(0, 0, days), stored.Encode()); err != nil {
			t.Fatal(err)
		}
	}
	if err := line.Decode(noon, stored.Encode()[:5]); err == nil {
		t.Error("counts that were cut off are read")
	}
	line.Days[13] = stats.DayCounts{Delivered: 1}
	want := [stats.SparklineDays]stats.DayCounts{0: {FailedAttempts: 1, GivenUp: 1}, 12: {Delivered: 300, FailedAttempts: 502, GivenUp: 4}, 13: {Delivered: 1}}
	if line.Days != want || !line.Start(13).Equal(noon.Truncate(24*time.Hour)) {
		t.Errorf("got %+v", line)
	}
}

func TestPeriodNames(t *testing.T) {
	for _, p := range stats.Periods {
		if !p.Valid() {
			t.Errorf("%s is not valid", p)
		}
	}
	if stats.Period("1y").Valid() {
		t.Error("1y is valid")
	}
}

// TestReason: a status that was not accepted is part of the reason, and of no other one.
func TestReason(t *testing.T) {
	for want, o := range map[stats.Reason]webhook.Outcome{
		"":           {Status: 200},
		"status 503": {Status: 503, Failure: webhook.FailStatus},
		"gone":       {Status: 410, Failure: webhook.FailGone},
		"timeout":    {Failure: webhook.FailTimeout},
		"status":     {Status: 799, Failure: webhook.FailStatus}, // which a receiver made up
	} {
		got := stats.ReasonOf(o)
		if back := got.Outcome(); got != want || back.Failure != o.Failure || want == "status 503" && back.Status != 503 {
			t.Errorf("got %q, of it %+v, want %q", got, back, want)
		}
	}
	if before := stats.Reason("status").Outcome(); before != (webhook.Outcome{Failure: webhook.FailStatus}) {
		t.Errorf("of before: got %+v", before)
	}
}
