package e2e

import (
	"net/http"
	"testing"
	"time"
)

func TestFailedTryIsRepeatedAndReplayed(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	in := receiver(t)
	in.answers(http.StatusInternalServerError, http.StatusOK)
	hook := op.webhook("Accounting", in.URL, nil)
	p := op.as(t, operator, pageOptions{}) // before: the second attempt comes soon
	e := op.booking("1234")
	id := e.to(hook)
	first := in.next(t)
	failed := time.Now()
	isAttempt(t, first, id, 1)
	op.awaitAttempts(id, 1)

	p.visit(op.URL + "/deliveries")
	p.lists(1, "1234", "Waiting", "in ", "500 Internal Server Error")
	p.opensRow("1234")
	p.sees("Accounting has not accepted this event of booking 1234 yet.")
	p.sees("Accounting answered 500 Internal Server Error.")
	p.seesMatch(`^Next attempt at \d\d:\d\d \(in \d s\); 10 attempts left\.`)

	second := in.next(t) // by itself, after 5 s
	if pause := time.Since(failed); pause < 4900*time.Millisecond {
		t.Errorf("second attempt: got it after %s, want 5s or a little more", pause)
	}
	isAttempt(t, second, id, 2)
	op.await(id, "delivered")
	p.reload()
	p.seesMatch(`^Accounting accepted this event of booking 1234 at \d\d:\d\d, on attempt 2\.$`)
	p.has("#attempt-1 > summary", "500 Internal Server Error")

	p.press("Replay")
	p.sees("Accounting answered")
	third := in.next(t)
	isAttempt(t, third, id, 3)
	op.await(id, "delivered")
	p.reload()
	p.seesMatch(`on attempt 3\.$`)
	for n := 1; n <= 3; n++ {
		must(t, expect.Locator(p.Locator(side(requestOf, n))).ToHaveCount(1))
	}
	for _, r := range []request{first, second, third} {
		verify(t, r, hook.Secret)
		if string(r.Body) != string(first.Body) {
			t.Errorf("body of a later attempt: got %s, want %s", r.Body, first.Body)
		}
	}
}

func TestRetryAfterIsShownAndHonoured(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	in := receiver(t)
	in.answerWith(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7200")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	hook := op.webhook("Accounting", in.URL, nil)
	id := op.booking("1").to(hook)
	op.awaitAttempts(id, 1)
	p := op.as(t, operator, pageOptions{})
	p.visit(op.page(id))
	p.sees("Accounting answered 503 Service Unavailable.")
	p.seesMatch(`^Next attempt at .* \(in 2 h\)`)
	must(t, p.Locator(side(responseTo, 1)+" details.headers summary").Click())
	p.has(side(responseTo, 1), "Retry-After")
	p.has(side(responseTo, 1), "7200")

	in.answers(http.StatusOK)
	p.press("Retry now")
	isAttempt(t, in.next(t), id, 1)
	isAttempt(t, in.next(t), id, 2)
	op.await(id, "delivered")
}

// Staff see that a booking did not arrive, and send it again with two clicks from the log.
func TestGoneSwitchesOffAndReplayDelivers(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	op.addUser(staff, "staff", op.Number)
	in := receiver(t)
	in.answers(http.StatusGone)
	hook := op.webhook("Accounting", in.URL, nil)
	id := op.booking("1234").to(hook)
	isAttempt(t, in.next(t), id, 1)
	op.await(id, "failed")
	skipped := op.booking("5678")
	if len(skipped.Skipped) != 1 || skipped.Skipped[0].Reason != "webhook_disabled" {
		t.Errorf("event after the 410: got %+v, want it skipped with webhook_disabled", skipped)
	}

	p := op.as(t, operator, pageOptions{})
	p.visit(op.URL + "/webhooks")
	p.lists(1, "Accounting", "Off", "after 410 Gone")
	p.follow("Accounting")
	p.sees("Switched off by Bookhook")
	p.sees("because the receiver answered 410 Gone.")
	p.sees("New events are skipped (1 so far).")
	p.press("Switch on")
	p.sees("1 event was skipped while it was off, since ")
	p.lacks("Switched off by Bookhook")

	in.answers(http.StatusOK)
	help := op.as(t, staff, pageOptions{})
	help.visit(op.URL + "/deliveries?state=failed")
	help.opensRow("1234", "410 Gone") // one
	help.sees("This means that the URL is gone for good, so Bookhook switched the webhook off.")
	help.press("Replay") // two
	help.sees("Accounting answered")
	isAttempt(t, in.next(t), id, 2)
	op.await(id, "delivered")
	help.reload()
	help.seesMatch(`^Accounting accepted this event of booking 1234 .* on attempt 2\.$`)
}

func TestSendATest(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	in := receiver(t)
	in.answers(http.StatusNotFound, http.StatusOK)
	hook := op.webhook("Accounting", in.URL, map[string]any{"events": []string{"redeem_voucher"}})
	p := op.as(t, operator, pageOptions{})
	p.visit(op.page(hook.ID))
	must(t, p.named("button", "Send a test").First().Click())
	p.isAt("/deliveries/dlv_")
	p.sees("answered")
	got := in.next(t)
	id := got.Header.Get("webhook-id")
	isAttempt(t, got, id, 1)
	verify(t, got, hook.Secret)
	if mark := got.Header.Get("bookhook-test"); mark != "true" {
		t.Errorf("bookhook-test: got %q, want true", mark)
	}
	d := op.await(id, "failed") // nobody waits for hours for a test
	if !d.Test {
		t.Error("the API does not say that it is a test")
	}
	p.isAt(id + "$")
	p.reload()
	badge := func(selector string) {
		t.Helper()
		must(t, expect.Locator(p.Locator(selector+" .badge")).ToHaveText("Test"))
	}
	badge("#story")
	p.sees("Accounting did not accept this test.")
	p.sees("Accounting answered 404 Not Found.")
	p.press("Replay")
	if got := in.next(t); got.Header.Get("bookhook-test") != "true" {
		t.Error("the replay is not marked as a test")
	} else {
		isAttempt(t, got, id, 2)
	}
	op.await(id, "delivered")

	p.visit(op.URL + "/deliveries")
	p.lists(1, "Voucher redeemed", "Delivered")
	badge("tbody tr")
	p.visit(op.URL + "/events")
	p.lists(1)
	badge("tbody tr")
	p.visit(op.page(d.Event))
	badge("main")
	p.visit(op.page(hook.ID))
	badge("tbody tr")
	// A real event carries no mark.
	op.event(map[string]any{"type": "redeem_voucher"})
	if mark, marked := in.next(t).Header["Bookhook-Test"]; marked {
		t.Errorf("bookhook-test of a real event: got %q, want none", mark)
	}
}

func TestStopRetrying(t *testing.T) { // alone: what the receiver holds must not time out meanwhile
	op := newShop(t)
	in := receiver(t)
	release := in.holds()
	hook := op.webhook("Accounting", in.URL, map[string]any{"concurrency": 1})
	op.addUser(staff, "staff", op.Number)
	p, help := op.as(t, operator, pageOptions{}), op.as(t, staff, pageOptions{})
	inFlight, queued := op.booking("1").to(hook), op.booking("2").to(hook)
	isAttempt(t, in.next(t), inFlight, 1)
	help.visit(op.page(queued))
	help.sees("Sending")
	help.lacks("Stop retrying") // that is for operators

	p.visit(op.page(queued))
	p.opens("Stop retrying")
	p.sees("Bookhook makes no further attempt, so Accounting may never receive it.")
	p.press("Stop retrying now")
	p.sees("Bookhook makes no further attempt.")
	p.visit(op.page(inFlight))
	p.sees("Attempt 1 of 11 is in progress.")
	p.sees("Sending")
	p.opens("Stop retrying")
	p.press("Stop retrying now")
	p.sees("The one that is in flight may still arrive.")
	p.sees("This delivery was stopped before Accounting accepted it.")
	p.visit(op.URL + "/deliveries?state=cancelled")
	p.lists(2, "Cancelled")
	if n := in.waiting(); n != 0 {
		t.Errorf("the receiver got %d more requests, want none", n)
	}

	p.visit(op.page(queued))
	p.press("Replay") // it goes although the only place of the webhook is taken
	got := in.next(t)
	if id := got.Header.Get("webhook-id"); id != queued {
		t.Errorf("webhook-id: got %q, want %q", id, queued)
	}
	p.sees("No answer yet; this page shows it when it is there.")
	release()
	op.await(queued, "delivered")
	op.await(inFlight, "delivered") // the receiver took the one that was stopped on its way
}

func TestSwitchOffKeepsWhatIsWaiting(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	in := receiver(t)
	in.answers(http.StatusInternalServerError)
	hook := op.webhook("Accounting", in.URL, nil)
	id := op.booking("1").to(hook)
	in.next(t)
	op.awaitAttempts(id, 1)
	p := op.as(t, operator, pageOptions{})
	p.visit(op.page(hook.ID) + "/settings")
	p.press("Switch off")
	p.sees("The webhook is off. New events are skipped, and waiting deliveries stay until you switch it on again.")
	p.isAt("/settings$")
	op.booking("2")
	op.booking("3")
	p.visit(op.page(hook.ID))
	p.sees("Switched off")
	p.sees("Switched off by " + operator)
	p.sees("New events are skipped (2 so far); 1 waiting delivery is sent when you switch it on.")
	p.visit(op.page(id))
	p.sees("Switch it on to send this delivery.")
	must(t, expect.Locator(p.named("button", "Retry now")).ToHaveCount(0)) // it would change nothing

	in.answers(http.StatusOK)
	p.visit(op.page(hook.ID))
	p.press("Switch on")
	p.sees("2 events were skipped while it was off")
	p.sees("1 waiting delivery is sent now.")
	isAttempt(t, in.next(t), id, 2)
	op.await(id, "delivered")
	op.await(op.booking("4").to(hook), "delivered")
	p.visit(op.URL + "/deliveries")
	p.lists(2) // what was skipped is no delivery
}

func TestDeletedWebhookStaysInTheLog(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	in := receiver(t)
	in.answers(http.StatusOK, http.StatusInternalServerError)
	hook := op.webhook("Accounting", in.URL, nil)
	done := op.booking("1").to(hook)
	op.await(done, "delivered")
	e := op.booking("2")
	waits := e.to(hook)
	op.awaitAttempts(waits, 1)
	p := op.as(t, operator, pageOptions{})
	p.visit(op.page(hook.ID) + "/settings")
	p.opens("Delete webhook")
	p.sees("This cannot be undone.")
	p.sees("1 waiting delivery is cancelled.")
	p.press("Delete permanently")
	p.isAt("/webhooks$")
	p.sees("“Accounting” was deleted. The log of what was sent stays.")
	p.sees("1 waiting delivery was cancelled.")
	if got := p.visit(op.page(hook.ID)); got != http.StatusNotFound {
		t.Errorf("page of the deleted webhook: got %d, want 404", got)
	}
	p.visit(op.URL + "/deliveries?webhook_id=" + hook.ID)
	p.lists(1, "Accounting", "Delivered")
	p.lists(1, "Accounting", "500 Internal Server Error")
	p.has("tbody tr:first-child .outcome", "Cancelled")
	p.opensRow("500 Internal Server Error")
	p.sees("This delivery was cancelled because its webhook was deleted.")
	must(t, expect.Locator(p.named("button", "Replay")).ToHaveCount(0))
	op.ask("POST", "/deliveries/"+waits+"/replay", nil).refused(t, http.StatusUnprocessableEntity)
	p.visit(op.page(e.ID))
	p.has("#decisions + ul", "Accounting (deleted)")
	if got := op.booking("3"); len(got.Deliveries)+len(got.Skipped) > 0 {
		t.Errorf("an event after the webhook was deleted: got %+v, want it sent to nobody", got)
	}
}

// What becomes of a delivery appears on its page by itself.
func TestDeliveryPageFollows(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	in := receiver(t)
	in.answers(http.StatusInternalServerError, http.StatusOK)
	hook := op.webhook("Accounting", in.URL, nil)
	id := op.booking("1").to(hook)
	op.awaitAttempts(id, 1)
	p := op.as(t, operator, pageOptions{})
	p.visit(op.page(id))
	p.sees("Waiting")
	p.sees("Delivered") // by the retry after five seconds, without a reload
	must(t, expect.Locator(p.named("button", "Stop retrying now")).ToHaveCount(0))
	axe(t, p)
}
