package e2e

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// history is what clients of the API and receivers saw, and between which moments. Porcupine looks for an order of these
// operations, each of them done at one moment between its call and its return, in which a simple model could have
// given all these answers. What got no answer may have been done at any moment after its call, or never.
type history struct {
	began time.Time

	mu         sync.Mutex
	events     map[string][]porcupine.Operation // by external id
	deliveries map[string][]porcupine.Operation // by id
	queues     map[string][]porcupine.Operation // by webhook and booking
}

func newHistory() *history {
	return &history{
		began:  time.Now(),
		events: map[string][]porcupine.Operation{}, deliveries: map[string][]porcupine.Operation{}, queues: map[string][]porcupine.Operation{},
	}
}

// never is when a call returns that got no answer.
const never = math.MaxInt64

func (h *history) now() int64 { return int64(time.Since(h.began)) }

// add notes an operation of one of the three kinds of history. Without a return it returns now.
func (h *history) add(kind map[string][]porcupine.Operation, key string, in, out any, times ...int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	times = append(times, h.now())
	kind[key] = append(kind[key], porcupine.Operation{Input: in, Output: out, Call: times[0], Return: times[1]})
}

// eventCall is a call about an event.
type eventCall struct {
	read bool
	body string // of a post: what it says
}

// eventAnswer is what was answered.
type eventAnswer struct {
	status int    // 0: none; of an event in a batch that of the event alone
	result string // ids and reasons
}

// eventState is what an event is. The result is "" while nobody was told.
type eventState struct {
	there        bool
	body, result string
}

// eventModel: an event is absent, then accepted with one result. The same again gets that, another one with its id 409.
var eventModel = porcupine.Model{
	Init: func() any { return eventState{} },
	Step: func(state, input, output any) (bool, any) {
		s, in, out := state.(eventState), input.(eventCall), output.(eventAnswer)
		fits := s.there && (s.result == "" || s.result == out.result)
		switch {
		case in.read && out.status == 404:
			return !s.there, s
		case in.read:
			return fits, eventState{true, s.body, out.result}
		case out.status == 202:
			return !s.there, eventState{true, in.body, out.result}
		case out.status == 200:
			return fits && s.body == in.body, eventState{true, in.body, out.result}
		case out.status == 409:
			return s.there && s.body != in.body, s
		case out.status == 0 && !s.there: // done, or as if it had never been called if this comes last
			return true, eventState{true, in.body, ""}
		}
		return true, s // it was there, or was refused
	},
}

// What is done with a delivery.
const (
	isRead = iota
	isTaken
	isReplayed
)

// deliveryAnswer is what was seen of a delivery.
type deliveryAnswer struct {
	delivered bool
	ended     int    // attempts that are in the log with an end, when read
	took      uint64 // numbers of attempts: those in the log with a success when read, the one that a receiver took
}

// deliveryState is what is known of a delivery.
type deliveryState deliveryAnswer

// deliveryModel: what is shown as taken was taken before, the log only grows, and what is delivered stays so, unless it
// is replayed.
var deliveryModel = porcupine.Model{
	Init: func() any { return deliveryState{} },
	Step: func(state, input, output any) (bool, any) {
		s, out := state.(deliveryState), output.(deliveryAnswer)
		switch input {
		case isTaken:
			s.took |= out.took
			return true, s
		case isReplayed:
			s.delivered = false
			return true, s
		}
		possible := out.took&^s.took == 0 && out.ended >= s.ended && (out.delivered || !s.delivered) && (!out.delivered || out.took != 0)
		s.delivered, s.ended = out.delivered, out.ended
		return possible, s
	},
}

// queued is an event at either end of a queue.
type queued struct {
	out   bool // it leaves: the receiver took it, or ended it
	event string
}

// queueModel: events of a booking leave for a webhook in the order in which they came.
var queueModel = porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, input, _ any) (bool, any) {
		waiting, q := state.(string), input.(queued)
		if !q.out {
			return true, waiting + q.event + "\n"
		}
		rest, first := strings.CutPrefix(waiting, q.event+"\n")
		return first, rest
	},
}

// read notes a delivery as the API shows it.
func (h *history) read(d delivery, call int64) {
	answer := deliveryAnswer{delivered: d.State == "delivered"}
	for _, try := range d.Attempts {
		if try.Number > 63 {
			return
		}
		if try.Reason != "cut_off" {
			answer.ended++
		}
		if try.Reason == "" {
			answer.took |= 1 << try.Number
		}
	}
	h.add(h.deliveries, d.ID, isRead, answer, call)
}

// taken notes that a receiver answers with a success.
func (h *history) taken(delivery string, s sight) {
	if s.status/100 == 2 && s.number < 64 {
		h.add(h.deliveries, delivery, isTaken, deliveryAnswer{took: 1 << s.number}, s.came, s.answered)
	}
}

// linearizable checks each history by itself.
func linearizable(t testing.TB, what string, m porcupine.Model, histories map[string][]porcupine.Operation) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(histories)) {
		ops := histories[key]
		if got := porcupine.CheckOperationsTimeout(m, ops, patience); got != porcupine.Ok {
			t.Errorf("the history of %s %s cannot have been (%s):\n%s", what, key, got, story(ops))
		}
	}
}

// story tells a history, by the times of the calls.
func story(ops []porcupine.Operation) string {
	ops = slices.SortedFunc(slices.Values(ops), func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	var text strings.Builder
	for _, op := range ops {
		until := "never"
		if op.Return != never {
			until = time.Duration(op.Return).String()
		}
		fmt.Fprintf(&text, "%s to %s: %+v %+v\n", time.Duration(op.Call), until, op.Input, op.Output)
	}
	return text.String()
}

// check checks all of it, once the load has ended.
func (h *history) check(t testing.TB) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	linearizable(t, "event", eventModel, h.events)
	linearizable(t, "delivery", deliveryModel, h.deliveries)
	linearizable(t, "webhook and booking", queueModel, h.queues)
}
