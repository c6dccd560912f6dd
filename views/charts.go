package views

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"bookhook/messages"
	"bookhook/stats"
)

// The charts are SVG without a view box: all places are in percent of the drawing, so
// that bars get wider with the page and texts do not. Only curves have a view box, of
// 100 by 100, that is stretched.

// StatsProps are the props of the charts of a report.
type StatsProps struct {
	Page   Page
	Report *stats.Report
	Path   string // of the page that has them; it takes ?period=
}

// chart is what all charts of a report share.
type chart struct {
	report *stats.Report
	now    time.Time
	loc    *time.Location
}

func (p StatsProps) chart() chart { return chart{p.Report, p.Page.Now, p.Page.loc()} }

func (p StatsProps) empty() bool {
	return p.Report.Total.Delivered == 0 && p.Report.Total.FailedAttempts() == 0
}

// periodName is a period as people read it.
func periodName(p stats.Period) string {
	switch p {
	case stats.Week:
		return "7 days"
	case stats.Month:
		return "30 days"
	}
	return "24 hours"
}

// periodLinks are the links to the periods of a page.
func periodLinks(p StatsProps) (links []preset) {
	for _, period := range stats.Periods {
		links = append(links, preset{periodName(period), withQuery(p.Path, "period", string(period)), period == p.Report.Period})
	}
	return links
}

// percent is a place or a length in a drawing.
type percent float64

// String writes it for an attribute.
func (p percent) String() string { return p.number() + "%" }

func (p percent) number() string {
	return strconv.FormatFloat(float64(int(float64(p)*100+.5))/100, 'f', -1, 64)
}

// box is a rectangle of a drawing.
type box struct {
	class               string
	x, y, width, height percent
}

// headroom is the part of a drawing above its highest bar or curve, for a number.
const headroom = 14

// scale says how high bars are.
type scale struct {
	top    int64   // the most of one bar
	height percent // of a bar with so many
	least  percent // that can be seen
}

// stack returns the boxes of one bar, from the ground up: what is not zero can be seen.
func (s scale) stack(x, width percent, portions []portion) (boxes []box) {
	at := percent(100)
	for _, p := range portions {
		if p.n == 0 {
			continue
		}
		height := max(percent(p.n)/percent(s.top)*s.height, s.least)
		at -= height
		boxes = append(boxes, box{p.class, x, at, width, height})
	}
	return boxes
}

// emptyBars are a drawing without numbers.
var emptyBars = func() (boxes []box) {
	heights := []percent{22, 34, 28, 48, 60, 52, 70, 64, 86, 74, 58, 66, 44, 50, 30}
	width := 100 / percent(len(heights))
	for i, height := range heights {
		boxes = append(boxes, box{"empty-bar", percent(i)*width + width*.14, 100 - height, width * .72, height})
	}
	return boxes
}()

// portion is one part of a bar.
type portion struct {
	class string
	n     int64
}

// slot is the part of the width that bucket i has.
func (c chart) slot(i int) (x, width percent) {
	width = 100 / percent(len(c.report.Buckets))
	return percent(i) * width, width
}

// middle is the middle of the slot of bucket i.
func (c chart) middle(i int) percent {
	x, width := c.slot(i)
	return x + width/2
}

// side is where the values of bucket i are shown, so that they stay on a narrow page.
func (c chart) side(i int) string {
	switch third := len(c.report.Buckets) / 3; {
	case i < third:
		return "left"
	case i >= len(c.report.Buckets)-third:
		return "right"
	}
	return ""
}

// attemptsOf is how many attempts a bucket has.
func attemptsOf(b *stats.Bucket) int64 { return b.Delivered + b.FailedAttempts() }

// bars draws the deliveries of all buckets.
func (c chart) bars() (boxes []box) {
	s := scale{top: attemptsOf(&c.report.Buckets[c.highest()]), height: 100 - headroom, least: 1.6}
	for i := range c.report.Buckets {
		b := &c.report.Buckets[i]
		x, width := c.slot(i)
		portions := []portion{{"delivered", b.Delivered}, {"failed", b.Retried()}, {"given-up", b.GivenUp}}
		boxes = append(boxes, s.stack(x+width*.17, width*.66, portions)...)
	}
	return boxes
}

// highest is the bucket with the most attempts, the last of those that have as many.
func (c chart) highest() (highest int) {
	for i := range c.report.Buckets {
		if attemptsOf(&c.report.Buckets[i]) >= attemptsOf(&c.report.Buckets[highest]) {
			highest = i
		}
	}
	return highest
}

// mark is a text at a place of a drawing.
type mark struct {
	text   string
	x, y   percent
	anchor string // start, middle or end, so that it stays inside
	minor  bool   // left out where there is little space
}

func newMark(text string, x percent) mark {
	m := mark{text: text, x: x, anchor: "middle"}
	switch {
	case x < 4:
		m.anchor, m.x = "start", 0
	case x > 96:
		m.anchor, m.x = "end", 100
	}
	return m
}

// peak is the number above the highest bar.
func (c chart) peak(bars []box) mark {
	i := c.highest()
	m := newMark(number(int(attemptsOf(&c.report.Buckets[i]))), c.middle(i))
	m.y = slices.MinFunc(bars, func(a, b box) int { return cmp.Compare(a.y, b.y) }).y
	return m
}

// axis are the marks under the buckets: every sixth hour, every day, or every seventh
// day.
func (c chart) axis() (marks []mark) {
	for i := range c.report.Buckets {
		start := c.report.Buckets[i].Start.In(c.loc)
		fromEnd := len(c.report.Buckets) - 1 - i
		switch c.report.Period {
		case stats.Day:
			if start.Hour()%6 == 0 && fromEnd > 1 {
				marks = append(marks, newMark(c.hourMark(start), c.middle(i)))
			}
		case stats.Week:
			if start.Hour() == 0 {
				marks = append(marks, c.dayMark(i, start))
			}
		default:
			if fromEnd%7 == 0 {
				marks = append(marks, newMark(c.dayName(start, "2 Jan"), c.middle(i)))
			}
		}
	}
	for i := range marks {
		marks[i].minor = c.report.Period == stats.Week && (len(marks)-1-i)%2 == 1
	}
	return marks
}

func (c chart) hourMark(start time.Time) string {
	if start.Hour() == 0 {
		return start.Format("Mon 2")
	}
	return start.Format("15:04")
}

// dayMark is in the middle of the part of a day that is shown, which begins with bucket i.
func (c chart) dayMark(i int, start time.Time) mark {
	const quarters = 4
	x, width := c.slot(i)
	return newMark(c.dayName(start, "Mon 2"), x+width*percent(min(quarters, len(c.report.Buckets)-i))/2)
}

func (c chart) dayName(start time.Time, layout string) string {
	if c.isToday(start) {
		return "Today"
	}
	return start.Format(layout)
}

func (c chart) isToday(at time.Time) bool { return at.Equal(stats.Midnight(c.now, c.loc)) }

// span says which time bucket i is of.
func (c chart) span(i int) string {
	start := c.report.Buckets[i].Start.In(c.loc)
	if c.report.Period == stats.Month {
		return c.dayName(start, "Mon 2 Jan")
	}
	if i == len(c.report.Buckets)-1 {
		return start.Format("Mon 2 Jan, since 15:04") + c.zone(start)
	}
	end := c.report.Buckets[i+1].Start.In(c.loc)
	return start.Format("Mon 2 Jan, 15:04") + c.zone(start) + "–" + end.Format("15:04") + c.zone(end)
}

// zone names the zone of a time where an hour of the clock comes twice in the report.
func (c chart) zone(at time.Time) string {
	first, last := c.report.Since().In(c.loc), c.now.In(c.loc)
	if _, a := first.Zone(); c.report.Period == stats.Day {
		if _, b := last.Zone(); a != b {
			return at.Format(" MST")
		}
	}
	return ""
}

// attemptsLines say what a number of attempts came to.
func attemptsLines(delivered, retried, givenUp int64) []string {
	if delivered+retried+givenUp == 0 {
		return []string{"nothing sent"}
	}
	lines := []string{number(int(delivered)) + " delivered"}
	if retried > 0 {
		lines = append(lines, number(int(retried))+" failed, retried")
	}
	if givenUp > 0 {
		lines = append(lines, number(int(givenUp))+" failed")
	}
	return lines
}

func deliveryLines(b *stats.Bucket) []string {
	return attemptsLines(b.Delivered, b.Retried(), b.GivenUp)
}

func attemptsText(delivered, retried, givenUp int64) string {
	return strings.Join(attemptsLines(delivered, retried, givenUp), "; ")
}

// deliveriesText describes the first chart to those who do not see it.
func (c chart) deliveriesText() string {
	t := &c.report.Total
	most := c.highest()
	return fmt.Sprintf("Deliveries of the last %s: %s. The most, %s, %s.", periodName(c.report.Period),
		attemptsText(t.Delivered, t.Retried(), t.GivenUp), number(int(attemptsOf(&c.report.Buckets[most]))), c.span(most))
}

// responsesText describes the second chart.
func (c chart) responsesText() string {
	d := &c.report.Total.Durations
	return fmt.Sprintf("Response times of the last %s: half within %s, 95 %% within %s.",
		periodName(c.report.Period), duration(d.Quantile(p50)), duration(d.Quantile(p95)))
}

// The quantiles of response times that are shown.
const (
	p50 = .5
	p95 = .95
)

// responseLines say how fast the responses of a bucket were.
func responseLines(b *stats.Bucket) []string {
	if b.Durations.Quantile(1) == 0 {
		return []string{"no responses"}
	}
	return []string{"half within " + duration(b.Durations.Quantile(p50)), "95 % within " + duration(b.Durations.Quantile(p95))}
}

// slowest is the bucket with the longest p95; -1 if there were no responses.
func (c chart) slowest() int {
	slowest, longest := -1, time.Duration(0)
	for i := range c.report.Buckets {
		if d := c.report.Buckets[i].Durations.Quantile(p95); d > 0 && d >= longest {
			slowest, longest = i, d
		}
	}
	return slowest
}

// slowestMark is how long it took, above it.
func (c chart) slowestMark() mark {
	i := c.slowest()
	m := newMark(duration(c.report.Buckets[i].Durations.Quantile(p95)), c.middle(i))
	m.y = headroom
	return m
}

// steps are a curve of a quantile, one step a bucket, as the data of a path in a view
// box of 100 by 100: it is interrupted where there were no responses.
func (c chart) steps(q float64) string {
	var path strings.Builder
	connected := false
	for i := range c.report.Buckets {
		y, ok := c.height(i, q)
		if !ok {
			connected = false
			continue
		}
		x, width := c.slot(i)
		if connected {
			fmt.Fprintf(&path, "V%sH%s", y.number(), (x + width).number())
		} else {
			fmt.Fprintf(&path, "M%s %sH%s", x.number(), y.number(), (x + width).number())
		}
		connected = true
	}
	return path.String()
}

// band is the area between the curves, as steps draws it.
func (c chart) band() string {
	var path strings.Builder
	for i := range c.report.Buckets {
		if low, ok := c.height(i, p50); ok {
			high, _ := c.height(i, p95)
			x, width := c.slot(i)
			fmt.Fprintf(&path, "M%s %sH%sV%sH%sZ", x.number(), high.number(), (x + width).number(), low.number(), x.number())
		}
	}
	return path.String()
}

// height is where a quantile of bucket i is; ok is false if it has no responses.
func (c chart) height(i int, q float64) (y percent, ok bool) {
	d := c.report.Buckets[i].Durations.Quantile(q)
	if d == 0 {
		return 0, false
	}
	longest := c.report.Buckets[c.slowest()].Durations.Quantile(p95)
	return 100 - percent(d)/percent(longest)*(100-headroom), true
}

// reason is how often attempts failed for one reason.
type reason struct {
	name  string
	n     int64
	width percent // of its bar
}

// reasons are those of the failed attempts, the most frequent one first.
func (c chart) reasons() (all []reason) {
	failed := c.report.Total.Failed
	order := slices.SortedFunc(maps.Keys(failed), func(a, b stats.Reason) int {
		if failed[a] != failed[b] {
			return int(failed[b] - failed[a])
		}
		return strings.Compare(string(a), string(b))
	})
	for _, why := range order {
		width := percent(failed[why]) / percent(failed[order[0]]) * 100
		all = append(all, reason{reasonName(why), failed[why], max(width, 1)})
	}
	return all
}

func reasonName(r stats.Reason) string {
	o := r.Outcome()
	if o.Status != 0 {
		return messages.StatusText(o.Status)
	}
	return messages.FailureWord(o.Failure)
}

// sparkBars draws the days of a sparkline.
func sparkBars(line *stats.Sparkline) (boxes []box) {
	top := int64(5) // a few are no peak
	for _, d := range line.Days {
		top = max(top, d.Delivered+d.FailedAttempts)
	}
	const slot = 100 / percent(stats.SparklineDays)
	for i, d := range line.Days {
		parts := []portion{{"delivered", d.Delivered}, {"failed", d.FailedAttempts - d.GivenUp}, {"given-up", d.GivenUp}}
		boxes = append(boxes, scale{top: top, height: 84, least: 8}.stack(percent(i)*slot+slot*.15, slot*.7, parts)...)
	}
	return boxes
}

// sparklineText says what a sparkline shows.
func sparklineText(line *stats.Sparkline) string {
	var sum stats.DayCounts
	for _, d := range line.Days {
		sum.Delivered += d.Delivered
		sum.FailedAttempts += d.FailedAttempts
		sum.GivenUp += d.GivenUp
	}
	return attemptsText(sum.Delivered, sum.FailedAttempts-sum.GivenUp, sum.GivenUp) + " in " + strconv.Itoa(stats.SparklineDays) + " days"
}
