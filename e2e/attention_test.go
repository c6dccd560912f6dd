package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/playwright-community/playwright-go"
)

// An operator sees on every page that Bookhook switched a webhook off, what has to be
// looked at first, and is led back: a test that passes offers to switch it on, and what
// was missed can then be sent.
func TestWebhookNeedsAttention(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]pageOptions{"computer": {}, "phone": {Phone: true}, "without JavaScript": {NoScript: true}} {
		t.Run(name, func(t *testing.T) {
			op := newShop(t)
			well, gone := receiver(t), receiver(t)
			gone.answers(http.StatusGone)
			op.webhook("Accounting", well.URL, nil)
			hook := op.webhook("Vouchers", gone.URL, nil)
			id := op.booking("1234").to(hook)
			op.await(id, "failed")
			op.booking("5678") // skipped

			p := op.as(t, operator, o)
			p.visit(op.URL + "/events")
			p.has(".banner", "Vouchers was switched off by Bookhook on ")
			p.has(".banner", "because the receiver answered 410 Gone.")
			p.hasExactly("nav .badge", "1 needs attention")
			p.visit(op.URL + "/webhooks")
			p.has("tbody tr:first-child", "Vouchers")
			must(t, expect.Locator(p.Locator(".banner")).ToHaveCount(0)) // the list says it itself
			p.visit(op.URL + "/nothing-is-here")
			p.hasExactly("nav .badge", "1 needs attention")
			p.visit(op.URL + "/deliveries")
			must(t, p.Locator(".banner a").First().Click())
			p.isAt("/webhooks/" + hook.ID)
			must(t, expect.Locator(p.Locator(".banner")).ToHaveCount(0)) // the page says it itself
			p.sees("Switched off by Bookhook")

			gone.answers(http.StatusOK)
			must(t, p.named("button", "Send a test").First().Click())
			p.isAt("/deliveries/dlv_")
			p.sees("The test passed, and Vouchers is still off.")
			p.sees("1 event was skipped meanwhile")
			p.press("Switch on")
			p.isAt("/webhooks/" + hook.ID)
			p.has(`[data-live="state"]`, "On, not tried yet")
			p.sees("1 event was skipped while it was off")
			must(t, expect.Locator(p.Locator("nav .badge")).ToHaveCount(0))
			must(t, p.GetByRole("link").Filter(playwright.LocatorFilterOptions{HasText: "While it was off until"}).Click())
			p.isAt("/replays/new")
			p.sees("1 delivery of 1 booking")
		})
	}
}

// A webhook that accepts some bookings and not others is neither healthy nor failing.
func TestUnreliableWebhook(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	in := receiver(t)
	in.answerWith(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("booking_id") >= "50" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	hook := op.webhook("Accounting", in.URL, map[string]any{"format": "native"})
	for i := range 5 {
		op.booking(fmt.Sprint(50 + i))
		op.booking(fmt.Sprint(10 + i))
	}
	p := op.as(t, operator, pageOptions{})
	p.visit(op.page(hook.ID))
	p.has(`[data-live="state"]`, "Unreliable")
	p.has(`[data-live="problems"]`, "Unreliable: 5 of the last 10 deliveries were not accepted.")
	axe(t, p)
	p.visit(op.URL + "/webhooks")
	p.lists(1, "Unreliable", "5 of the last 10 deliveries were not accepted")
	p.visit(op.URL + "/")
	p.has("h1", "Bookings are arriving, but not all at Accounting.")
}
