package webhook_test

import (
	"archive/zip"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bookhook/webhook"
)

func TestStartOfDay(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ zone, day, want string }{
		{"UTC", "2026-11-21", "2026-11-21T00:00:00Z"},
		{"Europe/Tallinn", "2026-03-29", "2026-03-29T00:00:00+02:00"},
		{"Europe/Tallinn", "2026-03-30", "2026-03-30T00:00:00+03:00"},
		{"America/Santiago", "2026-09-06", "2026-09-06T01:00:00-03:00"},
		{"America/Santiago", "2026-04-05", "2026-04-05T00:00:00-04:00"}, // 24:00 became 23:00
		{"America/Havana", "2026-03-08", "2026-03-08T01:00:00-04:00"},
		{"America/Havana", "2026-11-01", "2026-11-01T00:00:00-04:00"}, // the first of two midnights
		{"Atlantic/Azores", "2026-03-29", "2026-03-29T01:00:00Z"},
		{"Atlantic/Azores", "2026-10-25", "2026-10-25T00:00:00Z"},
		{"Africa/Cairo", "2026-04-24", "2026-04-24T01:00:00+03:00"},
		{"America/St_Johns", "2010-11-07", "2010-11-07T00:00:00-02:30"}, // a minute of it, then the day before again
		{"Pacific/Apia", "2011-12-30", "2011-12-31T00:00:00+14:00"},     // was left out
	} {
		loc, err := time.LoadLocation(tt.zone)
		if err != nil {
			t.Fatal(err)
		}
		day, err := time.Parse(time.DateOnly, tt.day)
		if err != nil {
			t.Fatal(err)
		}
		if got := startOf(day, loc).Format(time.RFC3339); got != tt.want {
			t.Errorf("%s in %s: got %s, want %s", tt.day, tt.zone, got, tt.want)
		}
	}
}

func startOf(day time.Time, loc *time.Location) time.Time {
	return webhook.StartOfDay(day.Year(), day.Month(), day.Day(), loc)
}

// TestStartOfDayInEveryZone goes through every change of the clocks from 2020 to
// 2030 in every zone: from the start on it is that day, and it was not before.
func TestStartOfDayInEveryZone(t *testing.T) {
	t.Parallel()
	from, to := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	zones, changes := zoneNames(t), 0
	for _, zone := range zones {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		for _, change := from.In(loc).ZoneBounds(); !change.IsZero() && change.Before(to); _, change = change.ZoneBounds() {
			changes++
			for offset := -2; offset <= 2; offset++ {
				checkStart(t, change.AddDate(0, 0, offset), loc)
			}
		}
	}
	if len(zones) < 400 || changes < 4000 {
		t.Errorf("got %d zones with %d changes, want all", len(zones), changes)
	}
}

// checkStart checks the start of the day around an instant.
func checkStart(t *testing.T, around time.Time, loc *time.Location) {
	t.Helper()
	day := time.Date(around.Year(), around.Month(), around.Day(), 0, 0, 0, 0, time.UTC)
	start, want := startOf(day, loc), day.Format(time.DateOnly)
	if got := start.Format(time.DateOnly); got != want {
		t.Errorf("%s in %s: starts at %s", want, loc, start)
	}
	if end := startOf(day.AddDate(0, 0, 1), loc); !end.After(start) || end.Add(-1).Format(time.DateOnly) != want {
		t.Errorf("%s in %s: ends at %s", want, loc, end)
	}
	for before := time.Nanosecond; before < 26*time.Hour; before += 15 * time.Minute {
		if got := start.Add(-before).Format(time.DateOnly); got >= want {
			t.Errorf("%s in %s: starts at %s, and %s before it is %s", want, loc, start, before, got)
			return
		}
	}
}

// zoneNames are the zones of the time zone database that comes with Go.
func zoneNames(t *testing.T) (names []string) {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	for _, file := range archive.File {
		if !file.FileInfo().IsDir() {
			names = append(names, file.Name)
		}
	}
	return names
}
