package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// asker asks before bookings are confirmed, as booking systems do. What got no answer is asked again, and so is now and
// then what got one: the receiver must not be asked twice.
type asker struct {
	*crash
	gate *sink

	mu        sync.Mutex
	questions []*question
}

// question is one, with what was answered first.
type question struct {
	id, booking string
	told        *verdict
}

func newAsker(c *crash) *asker {
	gate := c.newSink("Gate", c.dice.gate, map[string]any{"type": "inline", "format": nil, "events": []string{"new_temporary_web", "new_confirmed_web"}})
	gate.rung = aQuestion
	return &asker{crash: c, gate: gate}
}

// one asks a question.
func (a *asker) one(client *http.Client) {
	q := a.pick()
	r, err := a.op.try(client, "POST", "/inline", map[string]any{
		"id": q.id, "type": "new_temporary_web", "channel_id": "3930", "booking_id": q.booking,
	})
	if err != nil || r.Status != http.StatusOK {
		a.load.failed(r, err)
		return
	}
	a.bell.ring(anAnswer)
	var told verdict
	if err := json.Unmarshal(r.Body, &told); err != nil {
		a.op.t.Errorf("read %s: %v", r.Body, err)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if q.told != nil && fmt.Sprint(*q.told) != fmt.Sprint(told) {
		a.op.t.Errorf("question %s asked again: got %s, want %+v", q.id, r.Body, *q.told)
	}
	if q.told == nil {
		q.told = &told
	}
}

// pick takes a question that was asked before, or makes one.
func (a *asker) pick() *question {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, q := range a.questions[max(0, len(a.questions)-20):] {
		if q.told == nil && a.dice.n(2) == 0 || q.told != nil && a.dice.n(100) == 0 {
			return q
		}
	}
	n := len(a.questions)
	q := &question{id: fmt.Sprint("ask-", n), booking: fmt.Sprint("asked-", n)}
	a.questions = append(a.questions, q)
	return q
}

// question checks one as the log has it: asked once at most, and the log says what the receiver said.
func (a *audit) question(d delivery, raw []byte) {
	saw := a.asker.gate.sights(d.ID)
	wrong := func(format string, args ...any) {
		a.op.t.Errorf("question %s: %s; receiver saw %v; %s", d.ID, fmt.Sprintf(format, args...), saw, raw)
	}
	if len(saw) > 1 {
		wrong("it was asked %d times", len(saw))
	}
	if len(d.Attempts) != 1 || d.AttemptsMade != 1 {
		wrong("got %d of %d attempts, want one that has ended", len(d.Attempts), d.AttemptsMade)
		return
	}
	try := d.Attempts[0]
	want := map[bool]string{true: "delivered", false: "failed"}[try.Reason == ""]
	timesOut := a.shared && try.Reason == "cut_off" && d.NextAttempt != nil && time.Since(*d.NextAttempt) < 2*time.Minute
	if d.State != want && (d.State != "pending" || !timesOut) {
		wrong("got %s, want it %s", d.State, want)
	}
	if try.Status != 0 && (len(saw) != 1 || saw[0].status != try.Status) {
		wrong("the receiver did not answer with %d", try.Status)
	}
	if try.Reason != "cut_off" && try.Status == 0 && len(saw) == 1 && saw[0].status != 0 {
		wrong("the log does not have the answer of the receiver")
	}
	if try.Reason == "cut_off" && !a.cutOffs {
		wrong("it was cut off")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked[d.ID] = d
}

// everyQuestion checks that each is there at most once, and that its answer is in the log.
func (a *audit) everyQuestion() {
	for _, q := range a.asker.questions {
		found := a.events["inline:"+q.id]
		delete(a.events, "inline:"+q.id)
		if len(found) > 1 || len(found) == 0 && q.told != nil {
			a.lost(q.told != nil)
			a.op.t.Errorf("question %s is there %d times (answered: %t)", q.id, len(found), q.told != nil)
			continue
		}
		if q.told == nil {
			continue
		}
		a.Questions++
		d := a.asked[q.told.Delivery]
		if d.ID == "" || d.ID != found[0].to(a.asker.gate.hook) {
			a.lost(true)
			a.op.t.Errorf("question %s: got %+v, told %+v", q.id, found, *q.told)
			continue
		}
		if try := d.Attempts[0]; q.told.Accepted != (d.State == "delivered") || q.told.Status != try.Status || q.told.Reason != try.Reason {
			a.op.t.Errorf("question %s: the log says %+v, told %+v", q.id, d, *q.told)
		}
	}
}

// asks are the questions that TourCMS asked with this mark: how many, how many of them were accepted, refused, or cut off.
type asks struct{ all, accepted, refused int }

// questionOf adds a question that TourCMS asked to those of its letter.
func (a *audit) questionOf(e event, mark string) {
	n := a.asks[mark]
	n.all++
	if a.asked[e.to(a.asker.gate.hook)].State == "delivered" {
		n.accepted++
	} else {
		n.refused++
	}
	a.asks[mark] = n
}

// wasAsked compares the questions of a letter with what TourCMS was answered: each call asked once at most.
func (a *audit) wasAsked(l *letter) {
	n := a.asks[l.mark]
	if n.all > l.tries || n.accepted < l.confirmed || n.refused < l.denied {
		a.op.t.Errorf("TourCMS asked %d times about %s, was told yes %d times and no %d times; the log has %+v",
			l.tries, strings.TrimSuffix(l.mark, "."), l.confirmed, l.denied, n)
	}
}
