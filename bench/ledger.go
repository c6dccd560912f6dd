package bench

import (
	"crypto/rand"
	"errors"
	"strings"
	"sync/atomic"
	"time"
)

// The ledger grows by chunks; all of them are enough for every event that
// digits can number within a few minutes.
const (
	chunkSize = 1 << 14
	maxChunks = 1 << 13
)

// ledger notes what becomes of every event of one measurement. Its methods may
// be called from any goroutine.
type ledger struct {
	tag      string // its name in the events
	began    time.Time
	chunks   [maxChunks]atomic.Pointer[[chunkSize]entry]
	issued   atomic.Int64
	arrivals atomic.Int64
	refused  atomic.Int64
	busy     atomic.Int64          // of the refused, those that were told to come again
	refusal  atomic.Pointer[error] // the last one
}

// entry is one event. The times count from the beginning of the ledger; 0 is
// never.
type entry struct {
	planned  atomic.Int64 // when it was to be sent
	accepted atomic.Int64 // the sender has the complete answer
	arrived  atomic.Int64 // the receiver has it, the first time
	times    atomic.Int32 // how often it arrived
}

func newLedger() *ledger {
	return &ledger{tag: strings.ToLower(rand.Text()[:tagLength]), began: time.Now()}
}

// now is never 0.
func (l *ledger) now() int64 { return int64(max(time.Since(l.began), 1)) }

// issue gives out the next number.
func (l *ledger) issue() int { return int(l.issued.Add(1) - 1) }

// at is the entry of a number that was issued.
func (l *ledger) at(number int) *entry {
	slot := &l.chunks[number/chunkSize]
	chunk := slot.Load()
	if chunk == nil {
		slot.CompareAndSwap(nil, new([chunkSize]entry))
		chunk = slot.Load()
	}
	return &chunk[number%chunkSize]
}

// arrive notes a delivery; one of another measurement is none of ours.
func (l *ledger) arrive(body []byte) {
	number, ok := readMark(body, []byte(l.tag))
	if !ok || int64(number) >= l.issued.Load() {
		return
	}
	e := l.at(number)
	e.arrived.CompareAndSwap(0, l.now())
	e.times.Add(1)
	l.arrivals.Add(1)
}

// refuse notes that an event was not accepted.
func (l *ledger) refuse(err error) {
	l.refused.Add(1)
	if _, ok := errors.AsType[busyError](err); ok {
		l.busy.Add(1)
	}
	l.refusal.Store(&err)
}

// window is a span of the ledger's time.
type window struct{ from, to int64 }

func (w window) contains(t int64) bool { return w.from <= t && t < w.to }

func (w window) seconds() float64 { return time.Duration(w.to - w.from).Seconds() }

// count is what a ledger says of a window.
type count struct {
	accepted, delivered int // within the window
	waiting             int // accepted and not yet there at its end
	all                 int // deliveries of the whole ledger
	lost, duplicated    int // of the whole ledger
	accept, delivery    []time.Duration
	early, late         []time.Duration // accept, of the first and the last quarter of the window
}

// count reads the ledger after everything has ended. Events that are not
// wanted are left out.
func (l *ledger) count(w window, wanted func(number int) bool) count {
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
