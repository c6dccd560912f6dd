package dispatch

import (
	"container/heap"
	"time"
)

// timers is a heap of lanes by their timers; the methods without comments are
// for container/heap.
type timers []*lane

func (t timers) Len() int           { return len(t) }
func (t timers) Less(i, j int) bool { return t[i].timer.Before(t[j].timer) }

func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].timerIndex, t[j].timerIndex = i, j
}

// Push appends a lane.
func (t *timers) Push(x any) {
	l := x.(*lane) //nolint:errcheck // nothing else is ever pushed
	l.timerIndex = len(*t)
	*t = append(*t, l)
}

// Pop removes the last lane.
func (t *timers) Pop() any {
	last := len(*t) - 1
	l := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	l.timerIndex = -1
	return l
}

// set sets the timer of a lane, or removes it if the time is zero.
func (t *timers) set(l *lane, at time.Time) {
	set := l.timerIndex >= 0
	if set && at.Equal(l.timer) {
		return
	}
	l.timer = at
	switch {
	case at.IsZero() && set:
		heap.Remove(t, l.timerIndex)
	case set:
		heap.Fix(t, l.timerIndex)
	case !at.IsZero():
		heap.Push(t, l)
	}
}

// next is when the first timer fires; zero if there is none.
func (t timers) next() time.Time {
	if len(t) == 0 {
		return time.Time{}
	}
	return t[0].timer
}
