package power

import (
	"testing"
)

// The controls: a test that finds nothing on a disk that lies would find nothing at all.

// TestPowerFlushesIgnored: on a disk that ignores flushes, and keeps any part of what was written, answered events are
// lost.
func TestPowerFlushesIgnored(t *testing.T) {
	_, tp := recordStops(t, 1)
	p := tp.every(1)
	p.ignores = func(*call) bool { return true }
	p.ways = []way{nothing, sectors, writes}
	p.others = 0
	first := tp.marks[0].at
	images, lost := 0, 0
	tp.open(t, p.some(90), tp.keeps(t), func(one trial, problems []string) {
		if one.moment > first { // before that nothing was promised
			images++
			lost += min(len(problems), 1)
		}
	})
	t.Logf("flushes ignored: %d of %d images are broken", lost, images)
	if images < 50 || lost*10 < images*9 {
		t.Errorf("got %d broken ones of %d, want at least 9 in 10: the checks do not see what is lost", lost, images)
	}
}

// TestPowerOneFlushIgnored: on a disk that ignores a single flush of the WAL, the event is lost whose answer came next.
func TestPowerOneFlushIgnored(t *testing.T) {
	_, tp := recordStops(t, 2)
	tried, lost := 0, 0
	for _, flush := range tp.needed() {
		p := plan{seed: 2, ways: []way{nothing}, moments: []int{flush.answer.at + 1}, ignores: func(c *call) bool { return c == flush.call }}
		tried++
		tp.open(t, p, tp.keeps(t), func(_ trial, problems []string) { lost += min(len(problems), 1) })
	}
	t.Logf("one flush ignored: %d of %d images are broken", lost, tried)
	if tried < 3 || lost < tried { // there are 5 to 30: writes share their flushes
		t.Errorf("got %d broken ones of %d, want all of at least 3: the checks do not see what is lost", lost, tried)
	}
}

// need is a flush with an event that was answered after it and before the next.
type need struct {
	call   *call
	answer mark
}

// needed are the flushes of the WAL on which the answer to an event rests: its request came after the flush before had
// begun, and its answer before the next began.
func (tp *tape) needed() (all []need) {
	var flushes []*call
	for _, c := range tp.calls {
		if name, counts := tp.name(c.on); counts && tp.flush(c) && name == "bookhook.db-wal" {
			flushes = append(flushes, c)
		}
	}
	known := map[string]bool{}
	next := 0
	for _, m := range tp.marks {
		if m.kind != taken || known[m.id] {
			continue
		}
		known[m.id] = true
		for next < len(flushes) && flushes[next].end < m.at {
			next++
		}
		if next > 1 && m.since > flushes[next-2].begin && (next == len(flushes) || flushes[next].begin > m.at) {
			all = append(all, need{flushes[next-1], m})
		}
	}
	return all
}
