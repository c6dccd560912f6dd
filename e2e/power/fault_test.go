package power

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
)

// TestPowerFlushFails: while no flush works, every event is refused with 503 and none is sent. What had been answered
// stays, and when flushes work again the events are taken that were refused.
func TestPowerFlushFails(t *testing.T) {
	s := newShop(t, 1)
	r := newRecording(t, binary, s.folder)
	r.start()
	s.load(r.URL, 40)
	r.stop()
	r.start("-e", "inject=fsync,fdatasync:error=EIO")
	var refused []map[string]any
	for range 12 {
		e := s.event()
		status, body := s.call(r.URL, "POST", "/events", e)
		if status != http.StatusServiceUnavailable || !strings.Contains(string(body), "Nothing of this request was stored") {
			t.Errorf("while no flush works: got %d %s, want 503", status, body)
		}
		refused = append(refused, e)
	}
	r.kill9()
	r.start()
	for _, e := range refused {
		status, body := s.call(r.URL, "POST", "/events", e)
		if status != http.StatusAccepted && status != http.StatusOK { // 200: it was written, though not flushed
			t.Errorf("sent again: got %d %s, want 202 or 200", status, body)
		}
	}
	r.kill9()
	tp := r.tape()
	failed := 0
	for _, c := range tp.calls {
		if c.run == 1 && tp.flush(c) {
			failed++
			if !c.failed {
				t.Errorf("a flush of %s worked", c.on)
			}
		}
	}
	if failed == 0 {
		t.Error("no flush failed: this shows nothing")
	}
	for _, m := range tp.marks {
		if m.at > tp.begin(1) && m.at < tp.begin(2) && (m.kind == taken || m.kind == sent) {
			t.Errorf("while no flush works: %+v", m)
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	d := newDisk(tp, rng, honest)
	must(t, d.advance(tp.lines+1))
	for _, problem := range tp.keeps(t)(trial{moment: tp.lines + 1, way: all, files: d.cut(all, rng)}) {
		t.Error(problem)
	}
}

// begin is the first moment of a run.
func (tp *tape) begin(run int) int {
	for _, c := range tp.calls {
		if c.run == run {
			return c.begin
		}
	}
	return never
}
