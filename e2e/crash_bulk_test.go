package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
)

// bulkReplay as the API shows it.
type bulkReplay struct {
	ID, State                      string
	Total, Sent, Delivered, Failed int
	LeftOut                        int `json:"left_out"`
}

func (c *crash) bulk(id string) (p bulkReplay) {
	c.op.t.Helper()
	c.op.ask("GET", "/replays/"+id, nil).want(c.op.t, http.StatusOK, &p)
	return p
}

// Killed again and again in the middle of a bulk replay, Bookhook goes on with it: every delivery of it arrives, in the
// order of its booking, none twice but what was cut off, and what the replay counts is so.
func TestCrashBulkReplay(t *testing.T) {
	t.Parallel()
	const bookings, each = 60, 3
	c := &crash{op: newShop(t), dice: newDice(0), bell: &bell{}, history: newHistory()}
	refuses := func() manner { return manner{status: http.StatusLoopDetected, loop: true} } // which Bookhook gives up at once
	slow := func(m manner) func() manner {
		return func() manner { m.pause = c.dice.millis(5, 60); return m }
	}
	c.well, c.wild = c.newSink("Accounting", refuses, nil), c.newSink("Portal", refuses, nil)
	for i := range each {
		var events []any
		for n := range bookings {
			events = append(events, map[string]any{"type": "cancelled", "booking_id": fmt.Sprint(n), "data": map[string]int{"change": i}})
		}
		c.op.ask("POST", "/events/batch", map[string]any{"events": events}).want(t, http.StatusAccepted, nil)
	}
	const total = bookings * each
	c.op.awaitCount(t, "state=failed", 2*total)
	c.well.behaves(slow(well()))
	c.wild.behaves(slow(refuses()))
	var p bulkReplay
	request := map[string]any{"deliveries": map[string]any{"state": "failed"}, "only": "all"}
	c.op.ask("POST", "/replays", request).want(t, http.StatusAccepted, &p)
	for range 4 {
		c.killMidway(p.ID, total/4)
	}
	eventually(t, "the replay is done", func() bool { return c.bulk(p.ID).State == "done" })
	want := bulkReplay{ID: p.ID, State: "done", Total: 2 * total, Sent: 2 * total, Delivered: total, Failed: total}
	if got := c.bulk(p.ID); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	c.bulkArrived(p.ID, 2*total)
}

// killMidway kills Bookhook once some more deliveries of a replay have been sent, in the middle of one. A replay that is
// over is not killed.
func (c *crash) killMidway(id string, more int) {
	c.op.t.Helper()
	before, now := c.bulk(id), bulkReplay{}
	eventually(c.op.t, fmt.Sprint(more, " more deliveries are sent"), func() bool {
		now = c.bulk(id)
		return now.Delivered+now.Failed >= before.Delivered+before.Failed+more || now.State == "done"
	})
	c.bell.wait(aDelivery)
	c.op.kill9()
	c.op.restart()
	if after := c.bulk(id); after.Delivered < now.Delivered || after.Failed < now.Failed || after.Sent < now.Sent || after.Total != now.Total {
		c.op.t.Errorf("got %+v after a restart, want no less than %+v", after, now)
	}
}

// bulkArrived checks what the receivers saw of the deliveries of a replay, each of which had had one attempt before.
func (c *crash) bulkArrived(id string, n int) {
	t := c.op.t
	t.Helper()
	a, cutOff, last := &audit{crash: c, client: caller}, 0, map[string]int64{}
	found := pages[delivery](a, "/deliveries?replay_id="+id+"&")
	if len(found) != n {
		t.Errorf("the replay has %d deliveries, want %d", len(found), n)
	}
	hooks := map[string]*sink{c.well.hook.ID: c.well, c.wild.hook.ID: c.wild}
	slices.Reverse(found) // the oldest first
	for _, d := range found {
		d = c.op.delivery(d.ID)
		s := hooks[d.Webhook]
		saw := s.sights(d.ID)[1:]
		cutOff += c.sentOnce(d, saw)
		queue := s.hook.ID + " " + d.Booking
		for _, seen := range saw {
			if seen.came < last[queue] {
				t.Errorf("booking %s: %s saw %s before the one before it had ended", d.Booking, s.hook.Name, d.ID)
			}
		}
		last[queue] = max(last[queue], saw[len(saw)-1].answered)
	}
	t.Logf("%d deliveries, %d attempts cut off", len(found), cutOff)
	if cutOff == 0 {
		t.Error("no attempt was cut off: nothing was killed in the middle")
	}
}

// sentOnce checks the attempts of a replayed delivery and what its receiver saw of them, and returns how many were cut off:
// all but the last, of which nobody knows whether they arrived.
func (c *crash) sentOnce(d delivery, saw []sight) (cutOff int) {
	c.op.t.Helper()
	made := d.Attempts[1:]
	numbers := map[int]int{}
	for _, seen := range saw {
		numbers[seen.number]++
	}
	for i, try := range made {
		isLast := i == len(made)-1
		if try.Reason == "cut_off" {
			cutOff++
		}
		if n := numbers[try.Number]; n > 1 || isLast && n == 0 || isLast == (try.Reason == "cut_off") {
			c.op.t.Errorf("attempt %d came %d times: %+v", try.Number, n, d)
		}
		delete(numbers, try.Number)
	}
	if len(made) == 0 || len(numbers) > 0 {
		c.op.t.Errorf("the receiver saw %v, which are not in the log of %+v", saw, d)
	}
	return cutOff
}
