package e2e

import (
	"math/big"
	"net/http"
	"testing"
)

const (
	rateField  = "At most how many requests"
	orderField = "Keep the order of each booking"
)

// What engineers may set in the first step is kept as typed, told in words, and can be changed; also without JavaScript.
func TestWizardOrderAndRate(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	for name, noScript := range map[string]bool{"with JavaScript": false, "without": true} {
		t.Run(name, func(t *testing.T) {
			p := a.as(t, operator, pageOptions{NoScript: noScript})
			p.visit(a.URL + "/webhooks/new")
			p.opens("Advanced")
			p.chosen(orderField)
			p.unchoose(orderField)
			p.selects("requests per", "second")
			for _, number := range []string{"0", "1001", "many"} {
				p.fill(rateField, number)
				p.refused("Continue", "Enter a number from 1 to 1000, or leave it out for no limit.")
				p.holds(rateField, number)
				p.holds("requests per", "second")
				p.notChosen(orderField)
			}
			if !noScript {
				p.looks()
			}
			p.fill(rateField, "5")
			p.goesOn("name")
			p.fill("Name", "Slow partner "+name)
			p.fill("URL", "https://example.com/hook")
			p.goesOn("events")
			p.leaveAllOpen()
			p.sees("Up to 8 requests at once, at most 5 per second; events of one booking in any order")
			p.press("Create webhook")
			p.press("I have stored it")
			p.sees("Up to 8 requests at once, at most 5 per second")
			p.sees("None waiting")
			p.opensTab("Settings")
			p.sees("Up to 8 requests at once, at most 5 per second; events of one booking in any order")

			p.press("Edit")
			p.follow("Change type")
			p.opens("Advanced")
			p.holds(rateField, "5")
			p.holds("requests per", "second")
			p.notChosen(orderField)
			p.choose(orderField)
			p.fill(rateField, "")
			p.press("Continue")
			p.press("Save changes")
			p.sees("Up to 8 requests at once; events of one booking in order")
		})
	}
}

func TestWizardOrderByKeyboard(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	p := a.as(t, operator, pageOptions{})
	p.visit(a.URL + "/webhooks/new")
	p.tabTo(p.Locator("summary:has-text('Advanced')"))
	p.key("Enter")
	p.tabTo(p.labelled(rateField))
	p.types("60")
	p.tabTo(p.labelled("requests per"))
	p.key("ArrowUp")
	p.holds("requests per", "second")
	p.tabTo(p.option(orderField))
	p.key("Space")
	p.notChosen(orderField)
	p.tabsOn("name")
}

// A later event of a booking waits for the earlier one, and says so wherever it is seen; other bookings go on.
func TestHeldDelivery(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	in := receiver(t)
	in.answerWith(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7200")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	hook := op.webhook("Accounting", in.URL, nil)
	first := op.booking("1234").to(hook)
	before := in.next(t)
	op.awaitAttempts(first, 1)
	in.answers(http.StatusOK)
	e := op.booking("1234")
	held := e.to(hook)
	other := op.booking("5678").to(hook)
	op.await(other, "delivered")
	isAttempt(t, in.next(t), other, 1)

	p := op.as(t, operator, pageOptions{})
	p.visit(op.page(held))
	p.has(".story", "Waiting for an earlier event of booking 1234.")
	p.opens("Send now")
	p.sees("will receive this event before an earlier one")
	p.looks()
	p.visit(op.page(e.ID))
	p.looks()
	p.visit(op.page(hook.ID))
	p.sees("2 deliveries waiting, the oldest for")
	p.looks()
	p.visit(op.page(held))
	p.follow("View the earlier delivery")
	p.isAt("/deliveries/" + first + "$")

	p.press("Retry now")
	op.await(first, "delivered")
	op.await(held, "delivered")
	isAttempt(t, in.next(t), first, 2)
	after := in.next(t)
	isAttempt(t, after, held, 1)
	if sequence(t, after).Cmp(sequence(t, before)) <= 0 {
		t.Errorf("bookhook-sequence: got %v after %v, want a larger one", sequence(t, after), sequence(t, before))
	}
	p.visit(op.page(hook.ID))
	p.sees("None waiting")
	p.looks()
}

// sequence is the header that tells older events from newer ones.
func sequence(t testing.TB, r request) *big.Int {
	t.Helper()
	n, ok := new(big.Int).SetString(r.Header.Get("bookhook-sequence"), 10)
	if !ok {
		t.Fatalf("bookhook-sequence: got %q, want a number", r.Header.Get("bookhook-sequence"))
	}
	return n
}
