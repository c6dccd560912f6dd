package e2e

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"sync"
	"testing"
	"time"
)

// audit compares what Bookhook has with what was posted and with what the receivers saw, once the load has ended.
type audit struct {
	*crash
	cutOffs bool // attempts may have been cut off

	client *http.Client
	events map[string][]event // by the id that was posted

	mu                sync.Mutex
	deliveries, waits int // all, and those that are not there yet
	tries, cut        int // attempts in the log, and those of them that were cut off
	twice             int // deliveries that a receiver took more than once
}

// event as the API lists it.
type event struct {
	accepted
	External string `json:"external_id"`
}

// audit proves that nothing was lost, doubled or forgotten.
func (c *crash) audit(cutOffs bool) {
	c.op.t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}, Timeout: patience}
	defer client.CloseIdleConnections()
	a := &audit{crash: c, cutOffs: cutOffs, client: client, events: map[string][]event{}}
	for _, e := range pages[event](a, "/events?") {
		a.events[e.External] = append(a.events[e.External], e)
	}
	for _, p := range c.load.parcels {
		a.parcel(p)
	}
	for id := range a.events {
		c.op.t.Errorf("event %s was never posted, or is there twice", id)
	}
	a.settle()
	a.everyDelivery()
	c.op.t.Logf("%d events accepted, %d requests refused, %d without an answer; %d deliveries (%d waiting) with %d attempts, %d cut off; %d taken twice",
		c.load.taken, c.load.refused, c.load.unclear, a.deliveries, a.waits, a.tries, a.cut, a.twice)
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
		if len(found) > 1 {
			t.Errorf("event %s is there %d times", id, len(found))
			continue
		}
		delete(a.events, id)
		if len(found) == 0 {
			continue
		}
		there++
		for _, s := range a.sinks() {
			if found[0].to(s.hook) == "" {
				t.Errorf("event %s has no delivery to %s", id, s.hook.Name)
			}
		}
		if p.told != nil && p.told[i].ID != found[0].ID {
			t.Errorf("event %s: got %s, accepted as %s", id, found[0].ID, p.told[i].ID)
		}
	}
	if there != len(p.events) && (p.told != nil || there != 0) {
		t.Errorf("%d of %d events of the parcel with %s are there (accepted: %t)", there, len(p.events), p.events[0]["id"], p.told != nil)
	}
}

// settle waits until the receiver that is well has got everything, and nothing else is stuck: every delivery that is on
// its way or overdue must move on, unless its receiver kept failing and is probed in time.
func (a *audit) settle() {
	t := a.op.t
	t.Helper()
	runsDry(t, "deliveries to the receiver that is well", func() int {
		return len(pages[delivery](a, "/deliveries?state=pending&webhook_id="+a.well.hook.ID+"&"))
	})
	var suspects map[string]bool
	runsDry(t, "deliveries that do not move", func() int {
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
		return len(still)
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

// runsDry counts again and again until none is left. It may take as long as there are fewer and fewer.
func runsDry(t testing.TB, what string, count func() int) {
	t.Helper()
	least, since := math.MaxInt, time.Now()
	for n := count(); n > 0; n = count() {
		if n < least {
			least, since = n, time.Now()
		} else if time.Since(since) > patience {
			t.Fatalf("%s: still %d after %s", what, n, patience)
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
	seen := map[string]bool{} // event and webhook
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
		if key := d.Event + d.Webhook; seen[key] {
			a.op.t.Errorf("event %s has more than one delivery to %s", d.Event, d.Webhook)
		} else {
			seen[key] = true
		}
		todo <- d
	}
	close(todo)
	readers.Wait()
}

func (a *audit) delivery(s *sink, id string) {
	before := s.sights(id)
	var d delivery
	r, err := a.op.try(a.client, "GET", "/deliveries/"+id, nil)
	if err == nil {
		err = json.Unmarshal(r.Body, &d)
	}
	wrong := func(format string, args ...any) {
		a.op.t.Errorf("delivery %s to %s: %s; receiver saw %v; %s", id, s.hook.Name, fmt.Sprintf(format, args...), before, r.Body)
	}
	if err != nil || r.Status != http.StatusOK {
		wrong("got %d %v", r.Status, err)
		return
	}
	for _, problem := range append(d.inconsistent(), compare(d, before, s.sights(id))...) {
		wrong("%s", problem)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.deliveries++
	a.tries += len(d.Attempts)
	for _, try := range d.Attempts {
		if try.Reason == "cut_off" {
			a.cut++
			if !a.cutOffs {
				wrong("attempt %d was cut off", try.Number)
			}
		}
	}
	if len(accepts(before)) > 1 {
		a.twice++
	}
	if d.State == "pending" {
		a.waits++
	}
	if s == a.well && d.State != "delivered" {
		wrong("it is not delivered")
	}
}

// inconsistent is what in the log of a delivery contradicts itself.
func (d delivery) inconsistent() (problems []string) {
	flying := d.State == "pending" && d.NextAttempt == nil && !d.Held
	if n := len(d.Attempts); n != d.AttemptsMade && (!flying || n != d.AttemptsMade-1) {
		problems = append(problems, fmt.Sprintf("%d attempts of %d are in the log", n, d.AttemptsMade))
	}
	succeeded := 0
	for i, try := range d.Attempts {
		if try.Number != i+1 {
			problems = append(problems, fmt.Sprintf("attempt %d stands at place %d", try.Number, i+1))
		}
		if try.Reason == "" {
			succeeded = i + 1
		}
	}
	if done := d.State == "delivered"; done && (succeeded == 0 || succeeded != len(d.Attempts)) || !done && succeeded != 0 {
		problems = append(problems, fmt.Sprintf("attempt %d of %d succeeded", succeeded, len(d.Attempts)))
	}
	if d.State != "delivered" && d.State != "pending" {
		problems = append(problems, "it was given up")
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
			was = was || s == sight{try.Number, try.Status}
		}
		if try.Status != 0 && !was {
			problems = append(problems, fmt.Sprintf("attempt %d was not answered with %d", try.Number, try.Status))
		}
	}
	return problems
}
