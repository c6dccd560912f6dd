package dispatch

import (
	"container/heap"
	"time"
)

// timetable orders lanes by a time; for container/heap.
type timetable struct {
	lanes []*lane
	at    func(*lane) time.Time
	place func(*lane) *int // where the lane keeps its place in here
}

func (t *timetable) Len() int           { return len(t.lanes) }
func (t *timetable) Less(i, j int) bool { return t.at(t.lanes[i]).Before(t.at(t.lanes[j])) }

func (t *timetable) Swap(i, j int) {
	t.lanes[i], t.lanes[j] = t.lanes[j], t.lanes[i]
	*t.place(t.lanes[i]), *t.place(t.lanes[j]) = i, j
}

// Push appends a lane.
func (t *timetable) Push(x any) {
	l := x.(*lane) //nolint:errcheck // nothing else is ever pushed
	*t.place(l) = len(t.lanes)
	t.lanes = append(t.lanes, l)
}

// Pop takes the last lane off.
func (t *timetable) Pop() any {
	last := len(t.lanes) - 1
	l := t.lanes[last]
	t.lanes[last] = nil
	t.lanes = t.lanes[:last]
	*t.place(l) = -1
	return l
}

// put adds the lane, moves it to its time, or takes it out.
func (t *timetable) put(l *lane, in bool) {
	switch at := *t.place(l); {
	case in && at < 0:
		heap.Push(t, l)
	case in:
		heap.Fix(t, at)
	case at >= 0:
		heap.Remove(t, at)
	}
}

// first is the lane whose time comes first; nil when there is none.
func (t *timetable) first() *lane {
	if len(t.lanes) == 0 {
		return nil
	}
	return t.lanes[0]
}
