package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// audit compares what Bookhook has with what was sent to it and with what the receivers saw, once the load has ended.
type audit struct {
	*crash
	cutOffs bool  // attempts may have been cut off
	began   int64 // when it began to read, by the clock of the history

	client *http.Client
	events map[string][]event // by external id; those that are accounted for are taken out
	asks   map[string]asks    // of TourCMS, by mark

	mu    sync.Mutex
	asked map[string]delivery            // questions, by id
	of    map[string]map[string]delivery // all others, by event and webhook
	tally
}

// tally is what an audit counts.
type tally struct {
	Events, Letters, Questions, Replays int // that were answered with a success
	Deliveries, Waiting                 int // all, and those that are not there yet
	Attempts, CutOff                    int // in the log, and those of them that were cut off
	Twice                               int // deliveries that a receiver took again after an attempt that was cut off
	Lost                                int // what was answered and is not there

	twice []sight // the first of each of these
}

// event as the API lists it.
type event struct {
	accepted
	External string   `json:"external_id"`
	Tours    []string `json:"tour_ids"`
	Booking  string   `json:"booking_id"`
	Platform string
	Note     string
	Test     bool
	Waiting  bool // for its lookup
}

// audit proves that nothing was lost, doubled or forgotten.
func (c *crash) audit(cutOffs bool) tally {
	c.op.t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}, Timeout: patience}
	defer client.CloseIdleConnections()
	a := &audit{
		crash: c, cutOffs: cutOffs, client: client,
		events: map[string][]event{}, asks: map[string]asks{}, asked: map[string]delivery{}, of: map[string]map[string]delivery{},
	}
	a.settle()
	a.began = c.history.now()
	for _, e := range pages[event](a, "/events?") {
		a.events[e.External] = append(a.events[e.External], e)
	}
	a.everyDelivery()
	for _, p := range c.load.parcels {
		a.parcel(p)
	}
	a.everyQuestion()
	a.everyTest()
	a.everyLetter()
	a.inOrder()
	c.history.check(c.op.t)
	a.Events, a.Replays = c.load.taken, c.replayer.count
	c.op.t.Logf("%d events, %d letters of platforms, %d questions and %d replays answered, %d requests refused, %d without an answer; "+
		"%d deliveries (%d waiting) with %d attempts, %d cut off; %d taken twice; %d lost",
		a.Events, a.Letters, a.Questions, a.Replays, c.load.refused, c.load.unclear,
		a.Deliveries, a.Waiting, a.Attempts, a.CutOff, a.Twice, a.Lost)
	return a.tally
}

// pages lists everything under the path, page after page; the path ends in ? or &.
func pages[T any](a *audit, path string) (all []T) {
	a.op.t.Helper()
	for cursor := ""; ; {
		var list struct {
			Items []T
			Next  string `json:"next_cursor"`
		}
		r, err := a.op.try(a.client, "GET", path+"limit=200"+cursor, nil)
		must(a.op.t, err)
		r.want(a.op.t, http.StatusOK, &list)
		all = append(all, list.Items...)
		if list.Next == "" {
			return all
		}
		cursor = "&cursor=" + list.Next
	}
}

// parcel checks that what was accepted is there as it was told, and what got no clear answer is there as a whole or not
// at all.
func (a *audit) parcel(p *parcel) {
	t := a.op.t
	t.Helper()
	there := 0
	for i, posted := range p.events {
		id := posted["id"].(string)
		found := a.events[id]
		a.history.final(id, found)
		if len(found) > 1 {
			t.Errorf("event %s is there %d times", id, len(found))
			continue
		}
		delete(a.events, id)
		if len(found) == 0 {
			continue
		}
		there++
		a.hasAll(found[0], p.span, p.told != nil)
		if p.told != nil && p.told[i].ID != found[0].ID {
			t.Errorf("event %s: got %s, accepted as %s", id, found[0].ID, p.told[i].ID)
		}
	}
	if there != len(p.events) && (p.told != nil || there != 0) {
		a.lost(p.told != nil)
		t.Errorf("%d of %d events of the parcel with %s are there (accepted: %t)", there, len(p.events), p.events[0]["id"], p.told != nil)
	}
}

// hasAll checks that an event has a delivery to each webhook, and puts it into their queues.
func (a *audit) hasAll(e event, when span, answered bool) {
	if !answered {
		when.answered = never
	}
	for _, s := range a.sinks() {
		id := e.to(s.hook)
		d := a.of[e.ID][s.hook.ID]
		if id == "" || d.ID != id {
			a.lost(answered)
			a.op.t.Errorf("event %s (%s) has the delivery %q to %s in its result, and %q in the log", e.ID, e.External, id, s.hook.Name, d.ID)
			continue
		}
		if !d.jumped(a.replayer.of(id)) {
			a.queue(s, d, when)
		}
	}
}

// lost counts what is not there, if it was answered.
func (a *audit) lost(answered bool) {
	if answered {
		a.Lost++
	}
}

// settle waits until all lookups have ended, the receiver that is well has got everything, and nothing else is stuck:
// every delivery that is on its way or overdue must move on, unless its receiver kept failing and is probed in time.
func (a *audit) settle() {
	t := a.op.t
	t.Helper()
	a.post.well.Store(true)
	runsDry(t, "events that wait for a lookup", func() (waiting []string) {
		for _, e := range pages[event](a, "/events?") {
			if e.Waiting {
				waiting = append(waiting, e.ID)
			}
		}
		return waiting
	})
	runsDry(t, "deliveries to the receiver that is well", func() (waiting []string) {
		for _, d := range pages[delivery](a, "/deliveries?state=pending&webhook_id="+a.well.hook.ID+"&") {
			waiting = append(waiting, d.ID)
		}
		return waiting
	})
	var suspects map[string]bool
	runsDry(t, "deliveries that do not move", func() []string {
		still := map[string]bool{}
		paused := map[string]bool{}
		for _, s := range a.sinks() {
			paused[s.hook.ID] = a.paused(s)
		}
		earliest := map[string]string{} // of those of a booking and webhook that wait
		pending := pages[delivery](a, "/deliveries?state=pending&")
		for _, d := range pending { // the newest first
			earliest[d.Webhook+d.Booking] = d.ID
		}
		for _, d := range pending {
			key := fmt.Sprint(d.ID, d.AttemptsMade)
			overdue := d.NextAttempt == nil || time.Since(*d.NextAttempt) > 3*time.Second && !paused[d.Webhook]
			if d.Held {
				overdue = earliest[d.Webhook+d.Booking] == d.ID // for none
			}
			if overdue && (suspects == nil || suspects[key]) {
				still[key] = true
			}
		}
		suspects = still
		return slices.Collect(maps.Keys(still))
	})
}

// paused reports whether the circuit of a receiver is open and its next probe not overdue.
func (a *audit) paused(s *sink) bool {
	var hook struct {
		Circuit struct {
			Open    bool
			ProbeAt *time.Time `json:"probe_at"`
		}
	}
	r, err := a.op.try(a.client, "GET", "/webhooks/"+s.hook.ID, nil)
	must(a.op.t, err)
	r.want(a.op.t, http.StatusOK, &hook)
	return hook.Circuit.Open && hook.Circuit.ProbeAt != nil && time.Since(*hook.Circuit.ProbeAt) < 3*time.Second
}

// runsDry asks again and again what is left, until nothing is. It may take as long as there is less and less.
func runsDry(t testing.TB, what string, left func() []string) {
	t.Helper()
	least, since := math.MaxInt, time.Now()
	for now := left(); len(now) > 0; now = left() {
		if len(now) < least {
			least, since = len(now), time.Now()
		} else if time.Since(since) > 2*patience { // lookups are repeated after 30 seconds
			t.Fatalf("%s: still %d after %s, such as %q", what, len(now), 2*patience, now[:min(3, len(now))])
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// everyDelivery compares each delivery's log with what its receiver saw.
func (a *audit) everyDelivery() {
	of := map[string]*sink{}
	for _, s := range a.sinks() {
		of[s.hook.ID] = s
	}
	todo := make(chan delivery)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for d := range todo {
				a.delivery(of[d.Webhook], d.ID)
			}
		})
	}
	for _, d := range pages[delivery](a, "/deliveries?") {
		todo <- d
	}
	close(todo)
	readers.Wait()
}

func (a *audit) delivery(s *sink, id string) {
	var before []sight
	if s != nil {
		before = s.sights(id)
	}
	var d delivery
	call := a.history.now()
	r, err := a.op.try(a.client, "GET", "/deliveries/"+id, nil)
	for tries := 0; err == nil && r.Status == http.StatusServiceUnavailable && tries < 50; tries++ { // connections may still have been those of before a fault
		time.Sleep(100 * time.Millisecond)
		call = a.history.now()
		r, err = a.op.try(a.client, "GET", "/deliveries/"+id, nil)
	}
	if err == nil {
		err = json.Unmarshal(r.Body, &d)
	}
	wrong := func(format string, args ...any) {
		a.op.t.Errorf("delivery %s: %s; receiver saw %v; %s", id, fmt.Sprintf(format, args...), before, r.Body)
	}
	if err != nil || r.Status != http.StatusOK {
		wrong("got %d %v", r.Status, err)
		return
	}
	a.history.read(d, call)
	if s == nil {
		a.question(d, r.Body)
		return
	}
	problems := append(d.inconsistent(), compare(d, before, s.sights(id))...)
	if !d.Test {
		problems = append(problems, d.replayed(a.replayer.of(id))...)
	}
	for _, problem := range problems {
		wrong("%s", problem)
	}
	if s == a.well && d.State != "delivered" {
		wrong("it is not delivered")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.of[d.Event] == nil {
		a.of[d.Event] = map[string]delivery{}
	}
	if a.of[d.Event][d.Webhook].ID != "" {
		wrong("its event has another one to the same webhook")
	}
	a.of[d.Event][d.Webhook] = d
	a.count(d, before)
	if !a.cutOffs && a.CutOff > 0 {
		wrong("an attempt was cut off")
	}
}

func (a *audit) count(d delivery, saw []sight) {
	a.Deliveries++
	a.Attempts += len(d.Attempts)
	if d.State == "pending" {
		a.Waiting++
	}
	took, again := accepts(saw), 0
	for _, try := range d.Attempts {
		if try.Reason == "cut_off" {
			a.CutOff++
		}
		for later := range took {
			if again == 0 && try.Reason == "cut_off" && took[try.Number] > 0 && later > try.Number {
				again = try.Number
			}
		}
	}
	if again > 0 {
		a.Twice++
		a.twice = append(a.twice, saw[slices.IndexFunc(saw, func(s sight) bool { return s.number == again })])
	}
}

// inconsistent is what in the log of a delivery contradicts itself.
func (d delivery) inconsistent() (problems []string) {
	flying := d.State == "pending" && d.NextAttempt == nil && !d.Held
	if n := len(d.Attempts); n != d.AttemptsMade && (!flying || n != d.AttemptsMade-1) {
		problems = append(problems, fmt.Sprintf("%d attempts of %d are in the log", n, d.AttemptsMade))
	}
	for i, try := range d.Attempts {
		if try.Number != i+1 {
			problems = append(problems, fmt.Sprintf("attempt %d stands at place %d", try.Number, i+1))
		}
	}
	last := ""
	if n := len(d.Attempts); n > 0 {
		last = d.Attempts[n-1].Reason
	}
	switch d.State {
	case "pending":
	case "delivered":
		if len(d.Attempts) == 0 || last != "" {
			problems = append(problems, "its last attempt did not succeed")
		}
	case "failed":
		if last != "loop" && (!d.Test || last == "") {
			problems = append(problems, "it was given up")
		}
	default:
		problems = append(problems, "nobody did that")
	}
	return problems
}

// accepts counts the 2xx that a receiver answered to each attempt.
func accepts(saw []sight) map[int]int {
	took := map[int]int{}
	for _, s := range saw {
		if s.status/100 == 2 {
			took[s.number]++
		}
	}
	return took
}

// compare finds what the log of a delivery says otherwise than its receiver. What it saw before the log was read must
// stand there; what stands there it must have seen by now.
func compare(d delivery, before, now []sight) (problems []string) {
	logged := func(number, status int) bool {
		if number > len(d.Attempts) {
			return number == d.AttemptsMade && d.State == "pending" // on its way, or answered just now
		}
		try := d.Attempts[number-1]
		return try.Reason == "cut_off" || try.Status == status
	}
	for _, s := range before {
		if !logged(s.number, s.status) {
			problems = append(problems, fmt.Sprintf("attempt %d was answered with %d", s.number, s.status))
		}
	}
	for number, times := range accepts(before) {
		if times > 1 {
			problems = append(problems, fmt.Sprintf("attempt %d was accepted %d times", number, times))
		}
	}
	for _, try := range d.Attempts {
		was := false
		for _, s := range now {
			was = was || s.number == try.Number && s.status == try.Status
		}
		if try.Status != 0 && !was {
			problems = append(problems, fmt.Sprintf("attempt %d was not answered with %d", try.Number, try.Status))
		}
	}
	return problems
}
