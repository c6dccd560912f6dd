package e2e

import (
	"fmt"
	"net/http"
	"regexp"
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
	isAttempt(t, first, id, 1)
	p := op.as(t, operator, pageOptions{})
	p.visit(op.page(id))
	p.sees("Attempt 1 of 11 is in progress.")

	op.kill9()
	in.answers(http.StatusOK)
	op.restart()
	second := in.next(t)
	isAttempt(t, second, id, 2)
	verify(t, second, hook.Secret)
	if string(second.Body) != string(first.Body) {
		t.Errorf("body after the crash: got %s, want %s", second.Body, first.Body)
	}
	d := op.await(id, "delivered")
	if got := d.Attempts[0]; got.Number != 1 || got.Reason != "cut_off" || got.Status != 0 {
		t.Errorf("first attempt: got %+v, want cut_off without a status", got)
	}
	p.reload() // still signed in
	p.seesMatch(`^Accounting accepted this event of booking 1234 at \d\d:\d\d, on attempt 2\.$`)
	p.has(".attempts li:last-child summary", "Interrupted")
	must(t, p.Locator(".attempts li:last-child summary").Click())
	p.sees("Bookhook stopped during this attempt; it is not known whether Accounting received it.")
}

// Asked to stop, Bookhook waits for the answer that is on its way, and nothing is sent twice.
func TestStoppedInMidDelivery(t *testing.T) {
	op := newShop(t)
	in := receiver(t)
	release := in.holds()
	hook := op.webhook("Accounting", in.URL, map[string]any{"concurrency": 1})
	flying, queued := op.booking("1").to(hook), op.booking("2").to(hook)
	isAttempt(t, in.next(t), flying, 1)
	must(t, op.cmd.Process.Signal(syscall.SIGTERM))
	op.waitLog(regexp.MustCompile("waiting for deliveries on their way"))
	if _, err := op.try(caller, "POST", "/events", map[string]any{"type": "cancelled"}); err == nil {
		t.Error("an event was answered while Bookhook was stopping")
	}
	release()
	select {
	case <-op.exited:
	case <-time.After(patience):
		t.Fatal("it does not stop after the answer came")
	}
	if code := op.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code: got %d, want 0", code)
	}

	op.restart()
	isAttempt(t, in.next(t), queued, 1) // given back uncharged, or sent in the moment before the dispatcher heard of the stop
	op.await(queued, "delivered")
	d := op.delivery(flying)
	if d.State != "delivered" || d.AttemptsMade != 1 || len(d.Attempts) != 1 || d.Attempts[0].Status != http.StatusOK {
		t.Errorf("the delivery that was on its way: got %+v, want delivered by one attempt", d)
	}
	p := op.as(t, operator, pageOptions{})
	p.visit(op.page(flying))
	p.sees("on the first attempt")
	p.has("#response-1", "thank you")
	p.lacks("Interrupted")
	if n := in.waiting(); n != 0 {
		t.Errorf("the receiver got %d more requests, want none", n)
	}
}

// A receiver that takes requests and never answers is the worst: it must not hold up the others.
func TestDeadReceiverDelaysNobody(t *testing.T) {
	const events, concurrency = 150, 8
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
