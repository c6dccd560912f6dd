package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/playwright-community/playwright-go"
)

// The page of a webhook that is paused has a button that sends at once; the page then says what the receiver answered,
// also on a phone and without JavaScript.
func TestPausedWebhookIsRetried(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	in := receiver(t)
	for name, o := range map[string]pageOptions{
		"desktop": {}, "phone": {Phone: true}, "no script": {NoScript: true}, "phone without script": {Phone: true, NoScript: true},
	} {
		in.answerWith(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "60") // else its pauses of some seconds end while the page is looked at
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		hook := op.webhook(name, in.URL, nil)
		var waits []string
		for i := range 10 { // before any of them is attempted again
			waits = append(waits, op.booking(fmt.Sprint(name, i)).to(hook))
		}
		for _, id := range waits {
			op.awaitAttempts(id, 1)
		}
		p := op.as(t, operator, o)
		p.visit(op.page(hook.ID))
		p.seesMatch(`^Paused after 1\d failures in a row\.`)
		if !o.NoScript {
			axe(t, p)
		}
		p.press("Retry now")
		p.seesMatch(name + ` answered 503 Service Unavailable after`)
		p.seesMatch(`^Paused after 1\d failures in a row\.`)
		in.answers(http.StatusOK)
		p.press("Retry now")
		p.seesMatch(name + ` answered 200 OK after`)
		p.lacks("failures in a row")
		for _, id := range waits { // they follow
			op.await(id, "delivered")
		}
		must(t, p.Close()) // it follows the webhook
		op.ask("DELETE", "/webhooks/"+hook.ID, nil)
	}
}

// A booking that was skipped is sent in three clicks from where a person arrives.
func TestSkippedBookingIsSent(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	for name, o := range map[string]pageOptions{"desktop": {}, "phone": {Phone: true}, "no script": {NoScript: true}} {
		in := receiver(t)
		hook := op.webhook(name, in.URL, map[string]any{"events": []string{"redeem_voucher"}})
		booking := "skipped " + name
		e := op.booking(booking)
		c := &clicker{page: op.as(t, operator, o)}
		c.visit(op.URL + "/webhooks")
		c.goesToEvents(o.Phone)
		c.clicks++
		c.opensRow(booking)
		c.isAt("/events/" + e.ID)
		c.clicks++
		must(t, c.Locator("li", playwright.PageLocatorOptions{HasText: name}).GetByRole("button").Click())
		c.isAt(`/deliveries/dlv_\w+$`)
		c.sees(name + " answered 200 OK after")
		in.next(t)
		if c.clicks > 3 {
			t.Errorf("got %d clicks, want at most 3", c.clicks)
		}
		op.ask("DELETE", "/webhooks/"+hook.ID, nil)
	}
}

// goesToEvents follows the navigation to the list of events, which on a phone is in a menu that does not count.
func (c *clicker) goesToEvents(phone bool) {
	c.t.Helper()
	if phone {
		c.press("Menu")
	}
	c.click("link", "Events")
}

// The key r asks before it sends an older event of a booking, as the page does.
func TestKeyAsksBeforeAnOlderEvent(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	in := receiver(t)
	hook := op.webhook("Accounting", in.URL, nil)
	for range 2 {
		op.await(op.booking("1234").to(hook), "delivered")
		in.next(t)
	}
	p := op.as(t, operator, pageOptions{})
	p.visit(op.URL + "/deliveries")
	p.hits("j", "j", "r") // the older one
	p.sees("Not sent yet: Accounting already has a later event of this booking. Confirm to send it anyway.")
	axe(t, p)
	if n := in.waiting(); n != 0 {
		t.Errorf("the receiver got %d requests, want none", n)
	}
	p.hits("r") // asks
	p.press("Replay the older event")
	p.sees("Accounting answered 200 OK after")
	in.next(t)
}
