package bench

import (
	"crypto/rand"
	"errors"
	"strings"
	"sync/atomic"
	"time"
)

// A delivery log grows by chunks. All of them together hold more events than any
// machine sends in one measurement.
const (
	chunkSize = 1 << 14
	maxChunks = 1 << 13
)

// deliveryLog records what happens to every event of one measurement. It is safe
// for concurrent use.
type deliveryLog struct {
	tag      string // identifies this log in the events
	began    time.Time
	chunks   [maxChunks]atomic.Pointer[[chunkSize]entry]
	issued   atomic.Int64
	arrivals atomic.Int64
	refused  atomic.Int64
	busy     atomic.Int64          // of the refused, those with an answer that asked to retry
	lastErr  atomic.Pointer[error] // of the last refused event
}

// entry is one event. The times are nanoseconds since the log began; 0 is never.
type entry struct {
	planned  atomic.Int64 // when it was to be sent
	accepted atomic.Int64 // when the sender had the complete answer
	arrived  atomic.Int64 // when the receiver had it for the first time
	times    atomic.Int32 // how often the receiver got it
}

func newDeliveryLog() *deliveryLog {
	return &deliveryLog{tag: strings.ToLower(rand.Text()[:tagLength]), began: time.Now()}
}

// now returns the time since the log began, at least 1 ns.
func (l *deliveryLog) now() int64 { return int64(max(time.Since(l.began), 1)) }

// issue returns the next number.
func (l *deliveryLog) issue() int { return int(l.issued.Add(1) - 1) }

// at returns the entry of a number that was issued.
func (l *deliveryLog) at(number int) *entry {
	slot := &l.chunks[number/chunkSize]
	chunk := slot.Load()
	if chunk == nil {
		slot.CompareAndSwap(nil, new([chunkSize]entry))
		chunk = slot.Load()
	}
	return &chunk[number%chunkSize]
}

// arrive records a delivery. It ignores those of other measurements.
func (l *deliveryLog) arrive(body []byte) {
	number, ok := readMark(body, []byte(l.tag))
	if !ok || int64(number) >= l.issued.Load() {
		return
	}
	e := l.at(number)
	e.arrived.CompareAndSwap(0, l.now())
	e.times.Add(1)
	l.arrivals.Add(1)
}

// refuse records that an event was not accepted.
func (l *deliveryLog) refuse(err error) {
	l.refused.Add(1)
	if _, ok := errors.AsType[busyError](err); ok {
		l.busy.Add(1)
	}
	l.lastErr.Store(&err)
}

// window is a span of a log's time.
type window struct{ from, to int64 }

func (w window) contains(t int64) bool { return w.from <= t && t < w.to }

func (w window) seconds() float64 { return time.Duration(w.to - w.from).Seconds() }

// count is what a log holds for a window.
type count struct {
	accepted, delivered int // within the window
	waiting             int // accepted and not yet delivered at its end
	all                 int // deliveries of the whole log
	lost, duplicated    int // of the whole log
	accept, delivery    []time.Duration
	early, late         []time.Duration // accept, of the first and the last quarter of the window
}

// count evaluates the log after everything has stopped. It leaves out events that
// are not wanted.
func (l *deliveryLog) count(w window, wanted func(number int) bool) count {
	var c count
	for number := range int(l.issued.Load()) {
		if !wanted(number) {
			continue
		}
		c.add(l.at(number), w)
	}
	return c
}

func (c *count) add(e *entry, w window) {
	planned, accepted, arrived := e.planned.Load(), e.accepted.Load(), e.arrived.Load()
	if times := int(e.times.Load()); times > 0 {
		c.all++
		c.duplicated += times - 1
	}
	if arrived != 0 && w.contains(arrived) {
		c.delivered++
	}
	if accepted == 0 {
		return
	}
	if accepted < w.to && (arrived == 0 || arrived >= w.to) {
		c.waiting++
	}
	if arrived == 0 {
		c.lost++
	}
	if !w.contains(accepted) {
		return
	}
	c.accepted++
	took, quarter := time.Duration(accepted-planned), (w.to-w.from)/4
	c.accept = append(c.accept, took)
	if accepted < w.from+quarter {
		c.early = append(c.early, took)
	} else if accepted >= w.to-quarter {
		c.late = append(c.late, took)
	}
	if arrived != 0 {
		c.delivery = append(c.delivery, max(time.Duration(arrived-accepted), 0))
	}
}
