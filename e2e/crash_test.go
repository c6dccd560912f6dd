package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A crash while the receiver thinks: nobody can know whether it got the event, so it is sent again, and the log says so.
func TestKilledInMidDelivery(t *testing.T) {
	op := newShop(t)
	in := receiver(t)
	in.hangs()
	hook := op.webhook("Accounting", in.URL, nil)
	id := op.booking("1234").to(hook)
	first := in.next(t)
	hasTry(t, first, id, 1)
	p := op.as(t, operator, pageOptions{})
	p.visit(op.page(id))
	p.sees("Bookhook is calling your server right now (try 1 of 11).")

	op.kill9()
	in.answers(http.StatusOK)
	op.restart()
	second := in.next(t)
	hasTry(t, second, id, 2)
	verify(t, second, hook.Secret)
	if string(second.Body) != string(first.Body) {
		t.Errorf("body after the crash: got %s, want %s", second.Body, first.Body)
	}
	d := op.await(id, "delivered")
	if got := d.Attempts[0]; got.Number != 1 || got.Reason != "cut_off" || got.Status != 0 {
		t.Errorf("first attempt: got %+v, want cut_off without a status", got)
	}
	p.reload() // still signed in
	p.seesMatch(`^Your server accepted this event of booking 1234 at \d\d:\d\d, on try 2\.$`)
	p.has(".attempts li:last-child summary", "Cut off")
	must(t, p.Locator(".attempts li:last-child summary").Click())
	p.sees("Bookhook stopped while the request was on its way; whether your server got it is not known.")
}

// What was answered with 202 is on disk: whatever is being written when the process dies, no event of these is lost, and
// each is delivered.
func TestKilledWhileEventsComeIn(t *testing.T) {
	const enough = 300
	op := newShop(t)
	in := receiver(t)
	hook := op.webhook("Accounting", in.URL, map[string]any{"concurrency": 2}) // slow, so that many wait
	slow := op.webhook("Portal", in.URL, map[string]any{"concurrency": 1})

	var mu sync.Mutex
	var taken []accepted
	full := make(chan struct{})
	var senders sync.WaitGroup
	for sender := range 6 {
		senders.Go(func() {
			client := &http.Client{Transport: &http.Transport{}, Timeout: patience}
			defer client.CloseIdleConnections()
			for n := 0; ; n++ {
				r, err := op.try(client, "POST", "/events", map[string]any{"type": "cancelled", "id": fmt.Sprint(sender, "-", n)})
				if err != nil {
					return // the crash
				}
				var a accepted
				if err := json.Unmarshal(r.Body, &a); err != nil || r.Status != http.StatusAccepted {
					t.Errorf("got %d %s, want 202", r.Status, r.Body)
					return
				}
				mu.Lock()
				if taken = append(taken, a); len(taken) == enough {
					close(full)
				}
				mu.Unlock()
			}
		})
	}
	<-full
	op.kill9()
	senders.Wait()
	op.restart()

	missing := map[string]bool{}
	for _, a := range taken {
		missing[a.to(hook)], missing[a.to(slow)] = true, true
	}
	if len(missing) != 2*len(taken) {
		t.Fatalf("%d events were accepted with %d deliveries, want two of each", len(taken), len(missing))
	}
	for len(missing) > 0 {
		select {
		case r := <-in.requests:
			delete(missing, r.Header.Get("webhook-id"))
		case <-time.After(patience):
			id := slices.Collect(maps.Keys(missing))[0]
			t.Fatalf("%d of %d deliveries never came, such as %+v", len(missing), 2*len(taken), op.delivery(id))
		}
	}
	eventually(t, "nothing waits any more", func() bool {
		var list struct{ Items []delivery }
		op.ask("GET", "/deliveries?state=pending&limit=1", nil).want(t, http.StatusOK, &list)
		return len(list.Items) == 0
	})
	for i, a := range taken {
		if i%50 == 0 {
			op.ask("GET", "/events/"+a.ID, nil).want(t, http.StatusOK, nil)
			op.await(a.to(hook), "delivered")
		}
	}
}

// Asked to stop, Bookhook waits for the answer that is on its way, and nothing is sent twice.
func TestStoppedInMidDelivery(t *testing.T) {
	op := newShop(t)
	in := receiver(t)
	letGo := in.holds()
	hook := op.webhook("Accounting", in.URL, map[string]any{"concurrency": 1})
	flying, queued := op.booking("1").to(hook), op.booking("2").to(hook)
	hasTry(t, in.next(t), flying, 1)
	must(t, op.cmd.Process.Signal(syscall.SIGTERM))
	op.waitLog(regexp.MustCompile("waiting for deliveries on their way"))
	if _, err := op.try(caller, "POST", "/events", map[string]any{"type": "cancelled"}); err == nil {
		t.Error("an event was answered while Bookhook was stopping")
	}
	letGo()
	select {
	case <-op.exited:
	case <-time.After(patience):
		t.Fatal("it does not stop after the answer came")
	}
	if code := op.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code: got %d, want 0", code)
	}
	if n := in.waiting(); n != 0 {
		t.Errorf("%d requests began while Bookhook was stopping, want none", n)
	}

	op.restart()
	hasTry(t, in.next(t), queued, 1) // given back uncharged
	op.await(queued, "delivered")
	d := op.delivery(flying)
	if d.State != "delivered" || d.AttemptsMade != 1 || len(d.Attempts) != 1 || d.Attempts[0].Status != http.StatusOK {
		t.Errorf("the delivery that was on its way: got %+v, want delivered by one attempt", d)
	}
	p := op.as(t, operator, pageOptions{})
	p.visit(op.page(flying))
	p.sees("on the first try")
	p.has("#response-1", "thank you")
	p.lacks("Cut off")
	if n := in.waiting(); n != 0 {
		t.Errorf("the receiver got %d more requests, want none", n)
	}
}

// A receiver that takes requests and never answers is the worst: it must not hold up the others.
func TestDeadReceiverDelaysNobody(t *testing.T) {
	const events, concurrency = 200, 8
	op := newShop(t)
	dead, well, other := receiver(t), receiver(t), receiver(t)
	dead.hangs()
	op.webhook("Dead", dead.URL, map[string]any{"concurrency": concurrency})
	op.webhook("Well", well.URL, nil)
	op.webhook("Other", other.URL, map[string]any{"format": "native"})
	began := time.Now()
	op.bookings(events)
	for _, in := range []*inbox{well, other} {
		got := map[string]bool{}
		for range events {
			got[in.next(t).Header.Get("webhook-id")] = true
		}
		if len(got) != events {
			t.Errorf("got %d different deliveries, want %d", len(got), events)
		}
	}
	took := time.Since(began)
	t.Logf("%d events to two receivers beside a dead one: %s", events, took.Round(time.Millisecond))
	if took > 10*time.Second { // before the first request to the dead one has timed out
		t.Errorf("got all after %s, want it at once", took)
	}
	if n := dead.waiting(); n != concurrency {
		t.Errorf("requests at the dead receiver: got %d, want %d", n, concurrency)
	}
	p := op.as(t, operator, pageOptions{})
	p.visit(op.URL + "/deliveries?state=pending")
	p.sees(fmt.Sprint(events, " deliveries"))
	p.lists(50, "Dead")
	p.visit(op.URL + "/deliveries?state=delivered")
	p.sees(fmt.Sprint(2*events, " deliveries"))
}
