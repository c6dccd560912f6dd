package stats_test

import (
	"reflect"
	"testing"
	"time"

	"bookhook/stats"
)

// weekly adds events in each hour of the last weeks: of(week, hours back).
func weekly(a *stats.Arrivals, platform, channel string, of func(week, back int) int64) {
	for week := 0; ; week++ {
		from, to, ok := a.Window(week)
		if !ok {
			return
		}
		for hour := from; !hour.After(to); hour = hour.Add(time.Hour) {
			if n := of(week, int(to.Sub(hour)/time.Hour)); n > 0 {
				a.Add(platform, channel, hour, n)
			}
		}
	}
}

func TestSilence(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	hour := stats.Hour(noon, berlin)
	steady := func(perHour int64, since int) func(int, int) int64 {
		return func(week, back int) int64 {
			if week == 0 && back <= since {
				return 0
			}
			return perHour
		}
	}
	firstWeeks := func(n int) func(int, int) int64 {
		return func(week, _ int) int64 {
			if week == 0 || week > n {
				return 0
			}
			return 100
		}
	}
	for _, test := range []struct {
		name string
		of   func(week, back int) int64
		want []stats.Silence
	}{
		{"busy, and silent for two hours", steady(4, 2), []stats.Silence{{Platform: "tourcms", All: true, Since: hour.Add(-2 * time.Hour), Usual: 8}}},
		{"busy, and silent for an hour", steady(4, 1), nil},
		{"one an hour, and silent for two", steady(1, 7), nil},
		{"one an hour, and silent for eight", steady(1, 8), []stats.Silence{{Platform: "tourcms", All: true, Since: hour.Add(-8 * time.Hour), Usual: 8}}},
		{"nothing at all", steady(0, 0), nil},
		{"its first week", firstWeeks(1), nil},
		{"its first two weeks", firstWeeks(2), []stats.Silence{{Platform: "tourcms", All: true, Since: hour.Add(-2 * time.Hour), Usual: 200}}},
		{"an event in the hour that runs", func(week, back int) int64 {
			if week == 0 && back > 0 {
				return 0
			}
			return 4
		}, nil},
		{"a day off among the weeks", func(week, _ int) int64 {
			if week == 0 || week == 3 {
				return 0
			}
			return 4
		}, nil},
		{"never at this hour", func(week, back int) int64 {
			if week == 0 || back < 20 {
				return 0
			}
			return 1
		}, nil},
	} {
		a := stats.NewArrivals(noon, berlin)
		weekly(a, "tourcms", "3930", test.of)
		if got := a.Silences(); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
}

// One channel of several is silent: the platform is not.
func TestSilentChannel(t *testing.T) {
	a := stats.NewArrivals(noon, time.UTC)
	weekly(a, "tourcms", "3930", func(int, int) int64 { return 5 })
	weekly(a, "tourcms", "", func(week, _ int) int64 { return int64(min(week, 1) * 5) })
	weekly(a, "wink", "3930", func(week, _ int) int64 { return int64(min(week, 1) * 3) })
	since := stats.Hour(noon, time.UTC)
	want := []stats.Silence{
		{Platform: "tourcms", Since: since.Add(-2 * time.Hour), Usual: 10},
		{Platform: "wink", All: true, Since: since.Add(-4 * time.Hour), Usual: 12},
	}
	if got := a.Silences(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// After the end of summer time the same hours of the clock are compared.
func TestSilenceOverClockChange(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	now := time.Date(2026, 10, 26, 10, 20, 0, 0, berlin)
	a := stats.NewArrivals(now, berlin)
	_, thisWeek, _ := a.Window(0)
	_, lastWeek, _ := a.Window(1)
	if thisWeek.Sub(lastWeek) != (7*24+1)*time.Hour || lastWeek.In(berlin).Hour() != 10 {
		t.Errorf("got %s and %s", thisWeek, lastWeek)
	}
}
