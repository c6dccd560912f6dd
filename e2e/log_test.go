package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
)

// logOfAll is a log with deliveries in every state, of two webhooks, the second called Portal, and a page that shows it.
func logOfAll(t *testing.T) (op *shop, p *page, portal target) {
	op = newShop(t)
	well, down := receiver(t), receiver(t)
	down.answers(http.StatusInternalServerError)
	books := op.webhook("Accounting", well.URL, nil)
	portal = op.webhook("Portal", down.URL, map[string]any{"events": []string{"cancelled"}})

	p = op.as(t, operator, pageOptions{})
	p.visit(op.URL)
	p.follow("Deliveries")
	p.sees("No deliveries yet")
	p.follow("View webhooks")
	p.isAt("/webhooks$")

	first := op.booking("100")
	second := op.event(map[string]any{"type": "redeem_voucher", "booking_id": "200"})
	third := op.booking("300")
	op.ask("POST", "/webhooks/"+portal.ID+"/test", nil).want(t, http.StatusAccepted, nil)
	op.await(first.to(books), "delivered")
	op.await(second.to(books), "delivered")
	op.await(third.to(books), "delivered")
	op.awaitAttempts(first.to(portal), 1)
	op.awaitAttempts(third.to(portal), 1)
	p.visit(op.page(third.to(portal)))
	p.opens("Stop retrying")
	p.press("Stop retrying now")
	p.sees("Bookhook makes no further attempt.")

	p.visit(op.URL + "/deliveries")
	p.sees("6 deliveries")
	return op, p, portal
}

func TestLogFilters(t *testing.T) {
	t.Parallel()
	op, p, portal := logOfAll(t)
	for _, tt := range []struct {
		label, option, query string
		rows                 int
		text                 string // is in every row
	}{
		{"Status", "Delivered", "state=delivered", 3, "Accounting"},
		{"Status", "Waiting", "state=pending", 1, "Waiting"},
		{"Status", "Failed", "state=failed", 1, "TEST-1"},
		{"Status", "Cancelled", "state=cancelled", 1, "300"},
		{"Webhook", "Portal", "webhook_id=" + portal.ID, 3, "Portal"},
		{"Event", "Voucher redeemed", "type=redeem_voucher", 1, "200"},
	} {
		p.visit(op.URL + "/deliveries")
		p.selects(tt.label, tt.option)
		p.press("Filter")
		p.isAt(`[?&]` + tt.query + `(&|$)`)
		p.lists(tt.rows)
		p.lists(tt.rows, tt.text)
		must(t, expect.Locator(p.labelled(tt.label).Locator("option:checked")).ToHaveText(tt.option))
	}
}

func TestLogFiltersTogether(t *testing.T) {
	t.Parallel()
	_, p, _ := logOfAll(t)
	p.fill("Booking", " 100 ")
	p.press("Filter")
	p.lists(2, "100")
	p.selects("Status", "Delivered") // on top of the first filter
	p.press("Filter")
	p.lists(1)
	p.isAt(`booking_id=(\+|%20)*100`)
	p.isAt("state=delivered")
	p.reload()
	p.lists(1)
	p.selects("Status", "Failed")
	p.press("Filter")
	p.sees("No delivery matches")
	p.follow("Search events")
	p.isAt(`/events\?booking_id=100$`)
	p.lists(1, "100", "1 of 2 waiting")
	p.back()
	p.follow("Clear filters")
	p.sees("6 deliveries")
}

// The filter is one row; on a phone all of it but the booking is folded.
func TestLogFilterIsSmall(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	in := receiver(t)
	hook := op.webhook("Accounting", in.URL, nil)
	op.await(op.booking("100").to(hook), "delivered")
	p := op.as(t, operator, pageOptions{})
	for _, list := range []string{"/deliveries", "/events", "/webhooks/" + hook.ID + "/deliveries"} {
		p.visit(op.URL + list)
		if got := number(p.evaluate(`document.querySelector(".filters").getBoundingClientRect().height`)); got > 44 {
			t.Errorf("%s: the filter is %v px high, want one row", list, got)
		}
	}
	phone := op.as(t, operator, pageOptions{Phone: true, NoScript: true})
	phone.visit(op.URL + "/deliveries")
	phone.hasExactly(".fold > summary", "Filters")
	must(t, expect.Locator(phone.labelled("Booking")).ToBeVisible())
	must(t, expect.Locator(phone.labelled("Status")).ToHaveCount(0))
	must(t, phone.Locator(".fold > summary").Click())
	phone.selects("Status", "Delivered")
	phone.selects("Period", "Today")
	phone.press("Filter")
	phone.isAt("state=delivered&period=today$")
	phone.hasExactly(".fold > summary", "Filters (2 active)")
	phone.lists(1, "100")
	phone.fill("Booking", "101")
	phone.press("Filter")
	phone.isAt("booking_id=101&state=delivered&period=today$")
	phone.sees("No delivery matches")
	phone.fits()
	phone.visit(op.URL + "/deliveries?since=never")
	phone.sees("Write the day as year, month and day, with or without a time of day")
}

func TestLogFiltersByDay(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	in := receiver(t)
	hook := op.webhook("Accounting", in.URL, nil)
	op.await(op.booking("100").to(hook), "delivered")
	var log struct {
		Items []struct {
			CreatedAt string `json:"created_at"`
		}
	}
	op.ask("GET", "/deliveries", nil).want(t, http.StatusOK, &log)
	day := log.Items[0].CreatedAt[:len("2026-11-21")] // the account's time zone is UTC

	p := op.as(t, operator, pageOptions{NoScript: true})
	p.visit(op.URL + "/deliveries")
	must(t, expect.Locator(p.labelled("From")).ToHaveCount(0))
	p.selects("Period", "Custom")
	p.fill("From", day+"T00:00")
	p.fill("To", day+"T23:59")
	p.press("Filter")
	p.isAt("since=" + day + "T00%3A00&until=" + day + "T23%3A59$")
	p.lists(1, "100")
	p.visit(op.URL + "/deliveries?since=" + day + "&until=" + day) // as it was before there were times of day
	p.lists(1, "100")
	p.fill("From", "2099-01-01T00:00")
	p.fill("To", "")
	p.press("Filter")
	p.sees("No delivery matches")
	p.visit(op.URL + "/deliveries?until=2020-02-29")
	p.sees("No delivery matches")
	for query, problem := range map[string]string{
		"since=2026-02-30":                     "Write the day as year, month and day, with or without a time of day",
		"since=2026-11-21&until=2026-11-20":    "This is before the time in From.",
		"state=lost":                           "There is no such status",
		"webhook_id=" + url.QueryEscape("<x>"): "There is no such webhook",
		"type=nothing":                         "There is no such event",
	} {
		if status := p.visit(op.URL + "/deliveries?" + query); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: got %d, want 422", query, status)
		}
		p.sees(problem)
		p.sees("Sign out") // it is still the whole page
	}
}

func TestLogPages(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	in := receiver(t)
	hook := op.webhook("Accounting", in.URL, map[string]any{"concurrency": 64})
	op.bookings(120)
	for range 120 {
		in.next(t)
	}
	p := op.as(t, operator, pageOptions{})
	p.visit(op.URL + "/deliveries?webhook_id=" + hook.ID)
	p.sees("120 deliveries")
	p.lists(50)
	p.has("tbody tr:first-child", "b-120")
	p.has("tbody tr:last-child", "b-071")
	op.booking("late") // moves nothing between pages
	p.follow("Older")
	p.isAt(`\?before=dlv_\w+&webhook_id=` + hook.ID + "$")
	p.has("tbody tr:first-child", "b-070")
	p.has("tbody tr:last-child", "b-021")
	p.follow("Older")
	p.has("tbody tr:first-child", "b-020")
	p.has("tbody tr:last-child", "b-001")
	p.lists(20)
	must(t, expect.Locator(p.named("link", "Older")).ToHaveCount(0))
	p.follow("Newest")
	p.isAt(`\?webhook_id=` + hook.ID + "$")
	p.has("tbody tr:first-child", "late")
	p.sees("121 deliveries")
}

// bookings posts n events of the bookings b-001, b-002 and so on in batches.
func (o *shop) bookings(n int) (all []accepted) {
	o.t.Helper()
	var events []map[string]string
	for i := range n {
		events = append(events, map[string]string{"type": "cancelled", "booking_id": fmt.Sprintf("b-%03d", i+1)})
	}
	var answer struct{ Items []accepted }
	o.ask("POST", "/events/batch", map[string]any{"events": events}).want(o.t, http.StatusAccepted, &answer)
	return answer.Items
}
