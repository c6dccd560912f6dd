package views

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"bookhook/stats"
	"bookhook/webhook"
)

// chartAt is the chart of an empty report at a time of Madrid's clock.
func chartAt(t *testing.T, period stats.Period, at string) chart {
	t.Helper()
	end, err := time.ParseInLocation(MinuteLayout, at, madrid())
	if err != nil {
		t.Fatal(err)
	}
	return chart{stats.NewReport(period, end, madrid()), end, madrid()}
}

// counts sets what a bucket holds.
func (c chart) counts(i int, delivered int64, failed map[stats.Reason]int64, givenUp int64) {
	c.report.Buckets[i].Counts = stats.Counts{Delivered: delivered, Failed: failed, GivenUp: givenUp}
	c.report.Sum()
}

func TestBars(t *testing.T) {
	c := chartAt(t, stats.Day, "2026-11-21T13:05")
	c.counts(3, 1, nil, 0)
	c.counts(7, 600_000, map[stats.Reason]int64{stats.Reason(webhook.FailTimeout): 300_000, stats.Reason(webhook.FailStatus): 100_000}, 1)
	bars := c.bars()
	var classes []string
	for _, b := range bars {
		classes = append(classes, b.class)
		if b.height < 1.5 || b.y < 0 || b.y+b.height > 100.001 || b.x < 0 || b.x+b.width > 100 {
			t.Errorf("got %+v, want it inside and to be seen", b)
		}
	}
	if want := []string{"delivered", "delivered", "failed", "given-up"}; !slices.Equal(classes, want) {
		t.Fatalf("got %v, want %v", classes, want)
	}
	if one, most := bars[0], bars[1]; one.x >= most.x || most.height < 30*one.height {
		t.Errorf("got %+v beside %+v", one, most)
	}
	for i, above := range bars[2:] {
		if below := bars[i+1]; below.y-above.y-above.height > .001 || above.y >= below.y {
			t.Errorf("got %+v on %+v, want it on top", above, below)
		}
	}
	if peak := c.peak(bars); peak.text != "1,000,000" || peak.y != bars[3].y || peak.x <= bars[1].x || peak.x >= bars[1].x+bars[1].width {
		t.Errorf("got %+v, want it above the highest bar", peak)
	}
}

// TestMarks: what is written under the bars, and that it stays inside.
func TestMarks(t *testing.T) {
	for _, tt := range []struct {
		period stats.Period
		at     string
		want   string
		wide   string // what is left where there is little space
	}{
		{stats.Day, "2026-11-21T13:05", "18:00 Sat 21 06:00", ""},
		{stats.Day, "2026-11-21T23:59", "00:00… 06:00 12:00 18:00", ""},
		{stats.Day, "2026-10-25T13:05", "18:00 Sun 25 06:00", ""}, // 02:00 twice
		{stats.Week, "2026-11-21T13:05", "Sun 15 Mon 16 Tue 17 Wed 18 Thu 19 Fri 20 Today", "Sun 15 Tue 17 Thu 19 Today"},
		{stats.Month, "2026-11-21T13:05", "24 Oct 31 Oct 7 Nov 14 Nov Today", ""},
		{stats.Month, "2026-04-10T00:10", "13 Mar 20 Mar 27 Mar 3 Apr Today", ""},
	} {
		c := chartAt(t, tt.period, tt.at)
		var all, wide []string
		last := percent(-1)
		for _, m := range c.axis() {
			all = append(all, m.text)
			if !m.minor {
				wide = append(wide, m.text)
			}
			if m.x <= last || m.x > 100 || m.x > 96 && m.anchor != "end" || m.x < 4 && m.anchor != "start" {
				t.Errorf("%s at %s: got %+v after %v", tt.period, tt.at, m, last)
			}
			last = m.x
		}
		want := strings.ReplaceAll(tt.want, "00:00…", "Sat 21")
		if got := strings.Join(all, " "); got != want {
			t.Errorf("%s at %s: got %s, want %s", tt.period, tt.at, got, want)
		}
		if got := strings.Join(wide, " "); tt.wide != "" && got != tt.wide {
			t.Errorf("%s at %s, narrow: got %s, want %s", tt.period, tt.at, got, tt.wide)
		}
	}
}

// TestSpans: a bucket is named by the clock of the account, with the zone when an hour
// comes twice.
func TestSpans(t *testing.T) {
	for _, tt := range []struct {
		period stats.Period
		at     string
		bucket int
		want   string
	}{
		{stats.Day, "2026-11-21T13:05", 22, "Sat 21 Nov, 12:00–13:00"},
		{stats.Day, "2026-11-21T13:05", 23, "Sat 21 Nov, since 13:00"},
		{stats.Day, "2026-10-25T13:05", 11, "Sun 25 Oct, 02:00 CEST–02:00 CET"},
		{stats.Day, "2026-10-25T13:05", 12, "Sun 25 Oct, 02:00 CET–03:00 CET"},
		{stats.Day, "2026-03-29T13:05", 12, "Sun 29 Mar, 01:00 CET–03:00 CEST"},
		{stats.Week, "2026-10-26T13:05", 21, "Sun 25 Oct, 00:00–06:00"},
		{stats.Week, "2026-10-26T13:05", 27, "Mon 26 Oct, since 12:00"},
		{stats.Month, "2026-10-26T13:05", 28, "Sun 25 Oct"},
		{stats.Month, "2026-10-26T13:05", 29, "Today"},
	} {
		if got := chartAt(t, tt.period, tt.at).span(tt.bucket); got != tt.want {
			t.Errorf("%s at %s: got %q, want %q", tt.period, tt.at, got, tt.want)
		}
	}
}

// TestCurves: they are interrupted where nobody responded, and stay inside.
func TestCurves(t *testing.T) {
	c := chartAt(t, stats.Day, "2026-11-21T13:05")
	if c.slowest() >= 0 || c.steps(p50) != "" || c.band() != "" {
		t.Error("there is a curve without responses")
	}
	for _, at := range []struct {
		bucket int
		takes  time.Duration
	}{{0, 10 * time.Millisecond}, {1, 40 * time.Millisecond}, {5, 2 * time.Second}} {
		c.report.Buckets[at.bucket].Count(stats.Attempt{Responded: true, Duration: at.takes})
	}
	if got := c.slowest(); got != 5 {
		t.Errorf("got %d as the slowest, want 5", got)
	}
	curve := c.steps(p95)
	if got := strings.Count(curve, "M"); got != 2 {
		t.Errorf("got %s, want two parts", curve)
	}
	if !strings.HasSuffix(curve, " 14H25") {
		t.Errorf("got %s, want the slowest last, at the top", curve)
	}
	if got := strings.Count(c.band(), "Z"); got != 3 {
		t.Errorf("got %d boxes, want 3", got)
	}
}

func TestReasons(t *testing.T) {
	c := chartAt(t, stats.Week, "2026-11-21T13:05")
	c.counts(0, 0, map[stats.Reason]int64{stats.Reason(webhook.FailTimeout): 1, stats.Reason(webhook.FailStatus): 1000, stats.Reason(webhook.FailDNS): 1}, 0)
	var got []string
	for _, r := range c.reasons() {
		got = append(got, r.name+" "+number(int(r.n))+" "+r.width.String())
	}
	if want := []string{"Not accepted 1,000 100%", "Host not found 1 1%", "No answer in time 1 1%"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSparkline(t *testing.T) {
	line := stats.NewSparkline(now, madrid())
	if got := sparklineText(line); got != "nothing sent in 14 days" || len(sparkBars(line)) != 0 {
		t.Errorf("got %q with %v", got, sparkBars(line))
	}
	line.Days[0].Delivered = 1
	if bars := sparkBars(line); len(bars) != 1 || bars[0].height > 20 {
		t.Errorf("got %+v, want a low bar for one delivery", bars)
	}
	line.Days[13] = stats.DayCounts{Delivered: 1203, FailedAttempts: 3, GivenUp: 1}
	if got, want := sparklineText(line), "1,204 delivered; 2 failed, retried; 1 failed in 14 days"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	bars := sparkBars(line)
	if top := bars[len(bars)-1]; top.class != "given-up" || top.y < 0 || top.x+top.width > 100 {
		t.Errorf("got %+v, want what was given up on top, in the alarm colour", top)
	}
	var page bytes.Buffer
	if err := Sparkline(line).Render(t.Context(), &page); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page.String(), `role="img" aria-label="1,204 delivered; 2 failed, retried; 1 failed in 14 days"`) {
		t.Errorf("got %s", page.String())
	}
}
