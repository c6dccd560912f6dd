package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
)

// replayer reads deliveries and has them delivered again, as people and programs do that miss something, and tests
// webhooks.
type replayer struct {
	*crash

	mu      sync.Mutex
	replays map[string]*replays // by delivery
	count   int                 // replays that were answered
	tests   []string            // deliveries of tests that were answered
	trials  int                 // tests in all
}

// replays are those of one delivery.
type replays struct {
	after   []int // how many attempts had been made at each that was answered
	unclear int   // those without an answer
}

func newReplayer(c *crash) *replayer { return &replayer{crash: c, replays: map[string]*replays{}} }

// one reads a delivery, and may replay it.
func (r *replayer) one(client *http.Client) {
	if r.dice.n(40) == 0 {
		r.test(client)
		return
	}
	id := r.pick()
	if id == "" {
		return
	}
	call := r.history.now()
	answer, err := r.op.try(client, "GET", "/deliveries/"+id, nil)
	if err != nil || answer.Status != http.StatusOK {
		r.load.failed(answer, err)
		return
	}
	var d delivery
	if err := json.Unmarshal(answer.Body, &d); err != nil {
		r.op.t.Errorf("read %s: %v", answer.Body, err)
		return
	}
	r.history.read(d, call)
	if d.State != "pending" && r.dice.n(2) == 0 || r.dice.n(30) == 0 {
		r.replay(client, id)
	}
}

// pick takes a delivery of which somebody was told, mostly of late.
func (r *replayer) pick() string {
	r.load.mu.Lock()
	defer r.load.mu.Unlock()
	known := r.load.known
	if r.dice.n(3) > 0 {
		known = known[max(0, len(known)-60):]
	}
	if len(known) == 0 {
		return ""
	}
	return known[r.dice.n(len(known))]
}

func (r *replayer) replay(client *http.Client, id string) {
	call := r.history.now()
	answer, err := r.op.try(client, "POST", "/deliveries/"+id+"/replay", nil)
	var d delivery
	switch {
	case err != nil:
		r.history.add(r.history.deliveries, id, isReplayed, deliveryAnswer{}, call, never)
		r.load.failed(answer, err)
	case answer.Status == http.StatusConflict: // it is on its way
		return
	case answer.Status != http.StatusAccepted:
		r.load.failed(answer, err)
		return
	default:
		r.bell.ring(anAnswer)
		r.history.add(r.history.deliveries, id, isReplayed, deliveryAnswer{}, call)
		if err = json.Unmarshal(answer.Body, &d); err != nil || d.ID != id || d.State != "pending" {
			r.op.t.Errorf("replay of %s: got %s, want it pending", id, answer.Body)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	of := r.replays[id]
	if of == nil {
		of = &replays{}
		r.replays[id] = of
	}
	if err != nil {
		of.unclear++
		return
	}
	r.count++
	of.after = append(of.after, d.AttemptsMade)
}

// test sends a test to the webhook whose receiver misbehaves.
func (r *replayer) test(client *http.Client) {
	r.mu.Lock()
	r.trials++
	r.mu.Unlock()
	answer, err := r.op.try(client, "POST", "/webhooks/"+r.wild.hook.ID+"/test", nil)
	switch {
	case err == nil && answer.Status == http.StatusTooManyRequests: // there were 30 in this minute
		return
	case err != nil || answer.Status != http.StatusAccepted:
		r.load.failed(answer, err)
		return
	}
	var d delivery
	if err := json.Unmarshal(answer.Body, &d); err != nil || d.ID == "" {
		r.op.t.Errorf("test: got %s", answer.Body)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tests = append(r.tests, d.ID)
}

// of are the replays of a delivery.
func (r *replayer) of(id string) replays {
	r.mu.Lock()
	defer r.mu.Unlock()
	if found := r.replays[id]; found != nil {
		return *found
	}
	return replays{}
}

// final reports whether an attempt ends its delivery.
func (d delivery) final(number int) bool {
	try := d.Attempts[number-1]
	return try.Reason == "" || try.Reason == "loop" || d.Test
}

// firstEnd is the first attempt that ended the delivery; 0: none has.
func (d delivery) firstEnd() int {
	for n := range d.Attempts {
		if d.final(n + 1) {
			return n + 1
		}
	}
	return 0
}

// replayed checks that whatever went on after its end was replayed, and that each replay is in the log, or waits.
func (d delivery) replayed(by replays) (problems []string) {
	asked := map[int]bool{}
	for _, n := range by.after {
		asked[n] = true
		if n >= d.AttemptsMade && d.State != "pending" {
			problems = append(problems, fmt.Sprintf("it was replayed after attempt %d, and nothing came of it", n))
		}
	}
	for n := 1; n <= len(d.Attempts); n++ {
		if wentOn := n < d.AttemptsMade || d.State == "pending"; wentOn && d.final(n) && !asked[n] && by.unclear == 0 {
			problems = append(problems, fmt.Sprintf("it went on after attempt %d, which ended it, and was not replayed", n))
		}
	}
	return problems
}

// jumped reports whether a replay may have sent the delivery before its turn: one while it waited.
func (d delivery) jumped(by replays) bool {
	for _, n := range by.after {
		if n == 0 || n > len(d.Attempts) || !d.final(n) {
			return true
		}
	}
	return by.unclear > 0
}
