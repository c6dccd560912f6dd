package dispatch

import (
	"slices"
	"time"

	"bookhook/webhook"
)

// How long and how much of what platforms said is kept.
const (
	keepAnswers = time.Minute
	maxAnswers  = 32 << 20 // bytes
	answerBytes = 1 << 10  // that an answer takes besides its body
)

// sameMoment is how long after a question an event may be accepted and still be
// matched by its answer. An event tells of a change that was made before it, so
// an answer that was asked for later shows that change; one that was asked for
// before may not. But what a platform sends within moments of each other
// (confirmed, then paid) is one change to it, and is not asked about twice.
const sameMoment = 5 * time.Second

// serves says whether the answer shows what an event tells of.
func (t told) serves(e webhook.Event) bool {
	return !t.asked.IsZero() && !e.ReceivedAt.After(t.asked.Add(sameMoment))
}

// answers are the last ones about bookings, for their events that wait still, or
// come within the same moment. The oldest go first.
type answers struct {
	of    map[bookingKey]told
	order []bookingKey // by the time of the question, roughly
	bytes int
}

func (a *answers) get(key bookingKey) told { return a.of[key] }

func (a *answers) put(key bookingKey, t told) {
	if _, known := a.of[key]; known {
		a.drop(slices.Index(a.order, key))
	}
	if a.of == nil {
		a.of = map[bookingKey]told{}
	}
	a.of[key] = t
	a.order = append(a.order, key)
	a.bytes += answerBytes + len(t.body)
	for a.bytes > maxAnswers {
		a.drop(0)
	}
}

// expire drops what is too old, and says when to do so again; zero: when there
// is something.
func (a *answers) expire(now time.Time) (next time.Time) {
	for len(a.order) > 0 {
		if next = a.of[a.order[0]].asked.Add(keepAnswers); next.After(now) {
			return next
		}
		a.drop(0)
	}
	return time.Time{}
}

func (a *answers) drop(i int) {
	key := a.order[i]
	a.order = slices.Delete(a.order, i, i+1)
	a.bytes -= answerBytes + len(a.of[key].body)
	delete(a.of, key)
}
