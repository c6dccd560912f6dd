package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
)

// newBooking is a shop with a booking that arrived at Accounting, was confirmed and then cancelled, and whose
// cancellation the CRM refused with words of its own.
func newBooking(t *testing.T) *shop {
	t.Helper()
	op := newShop(t)
	op.addUser(staff, "staff", op.Number)
	good, bad := receiver(t), receiver(t)
	bad.answerWith(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusServiceUnavailable)
		w.Write([]byte(`{"error":{"message":"The ledger of November is closed"}}`)) //nolint:errcheck // the test sees it
	})
	op.items("channels", "3930 Website")
	accounting := op.webhook("Accounting", good.URL, nil)
	crm := op.webhook("CRM", bad.URL, map[string]any{"events": []string{"cancelled"}})
	op.webhook("Boats", good.URL, map[string]any{"tours": map[string]any{"mode": "include", "ids": op.tour("20")}})
	send := func(eventType, status, guest string) accepted {
		e := op.event(map[string]any{
			"type": eventType, "booking_id": "1234", "channel_id": "3930", "tour_ids": []string{"12"},
			"data": map[string]any{"status": status, "total": "180.00", "guest": map[string]any{"name": guest}},
		})
		op.await(e.to(accounting), "delivered")
		return e
	}
	send("new_provisional_web", "PROVISIONAL", "Ada Byron")
	send("new_confirmed_web", "CONFIRMED", "Ada Lovelace")
	e := send("cancelled", "CANCELLED", "Ada Lovelace")
	op.awaitAttempts(e.to(crm), 1)
	op.booking("12345")
	return op
}

// tour adds a tour and returns a list of its id.
func (o *shop) tour(id string) []string {
	o.items("tours", id+" Sunset Sail")
	return []string{id}
}

// answers is what the page of the booking says in its first seconds, and in its story.
func (p *page) answersBooking() {
	p.t.Helper()
	p.isAt("/bookings/1234$")
	p.sees("Still on its way")
	p.has(".arrivals", "CRM has not received the event yet.")
	p.has(".arrivals", "Accounting received all 3 events that were sent to it.")
	p.has(".timeline > li:first-child", "503 Service Unavailable: “The ledger of November is closed”")
	p.has(".timeline > li:first-child", "status CANCELLED, was CONFIRMED")
	p.has(".timeline > li:nth-child(2)", "guest name Ada Lovelace, was Ada Byron")
	p.has(".timeline > li:first-child", "None of the booking’s tours is selected in the webhook.")
}

// TestFromDidNotArriveToItsAnswer counts what a person does who hears "booking 1234 did not arrive": at most 2 clicks
// and 10 seconds, on a computer, on a phone, with and without JavaScript.
func TestFromDidNotArriveToItsAnswer(t *testing.T) {
	t.Parallel()
	op := newBooking(t)
	for name, o := range map[string]pageOptions{"computer": {}, "phone": {Phone: true}, "without JavaScript": {NoScript: true}} {
		t.Run(name, func(t *testing.T) {
			p := op.as(t, staff, o)
			p.visit(op.URL + "/webhooks")
			began, clicks := time.Now(), 0
			click := func(where playwright.Locator) {
				clicks++
				must(t, where.Click())
			}
			click(p.GetByRole("searchbox", playwright.PageGetByRoleOptions{Name: "Search bookings, ids and webhooks"}))
			must(t, p.Keyboard().Type("#1234 "))
			p.key("Enter")
			p.sees("2 results, exact ones first") // 12345, too, begins with it
			click(p.Locator(".hits a").First())
			p.answersBooking()
			if took := time.Since(began); clicks > 2 || took > 10*time.Second {
				t.Errorf("it took %d clicks and %s, want at most 2 and 10 s", clicks, took)
			}
			if !o.NoScript {
				p.looks()
			}
		})
	}
}

// TestSearchByKeyboard: / moves to the search from anywhere but a field, one hit is opened at once, and the pages of
// the search are in order for everybody.
func TestSearchByKeyboard(t *testing.T) {
	t.Parallel()
	op := newBooking(t)
	p := op.as(t, staff, pageOptions{})
	p.visit(op.URL + "/deliveries")
	p.key("/")
	if got := p.evaluate(`document.activeElement.name`); got != "q" {
		t.Fatalf("the focus is on %v, want the search", got)
	}
	must(t, p.Keyboard().Type("a/b"))
	if got := p.evaluate(`document.activeElement.value`); got != "a/b" {
		t.Errorf("typed: got %v, want a/b with its /", got)
	}
	p.types("crm")
	p.key("Enter")
	p.isAt("/webhooks/whk_")
	p.sees("CRM")
	for _, search := range []struct{ typed, text string }{{"", "What are you looking for?"}, {"404", "Nothing found"}, {"12", "2 results"}} {
		p.visit(op.URL + "/search?q=" + search.typed)
		p.sees(search.text)
		p.looks()
	}
	p.follow("Booking 12345")
	p.isAt("/bookings/12345$")
	if got := p.visit(op.URL + "/bookings/" + strings.Repeat("1", 99)); got != http.StatusNotFound {
		t.Errorf("got %d, want 404", got)
	}
	p.sees("No event of this booking")
	p.looks()
}

// TestOddBookingHasAPage: a reference with everything that an address must escape is reached from its event, its
// delivery and the search.
func TestOddBookingHasAPage(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	in := receiver(t)
	hook := op.webhook("Accounting", in.URL, nil)
	e := op.event(oddEvent)
	op.await(e.to(hook), "delivered")
	p := op.as(t, operator, pageOptions{})
	for _, id := range []string{e.ID, e.to(hook)} {
		p.visit(op.page(id))
		must(t, p.Locator("dl.facts").GetByRole("link", playwright.LocatorGetByRoleOptions{Name: oddBooking, Exact: new(true)}).Click())
		p.isAt("/bookings/B%201%2F2%20&%20%C3%A9%20%22%3Cb%3E$")
		p.sees("Arrived everywhere")
	}
	p.key("/")
	must(t, p.Keyboard().Type("b 1/2"))
	p.key("Enter")
	p.sees("Booking " + oddBooking)
	var shown struct {
		Booking string `json:"booking_id"`
		Events  []struct{ ID string }
	}
	op.ask("GET", "/bookings/"+oddBookingPct, nil).want(t, http.StatusOK, &shown)
	if shown.Booking != oddBooking || len(shown.Events) != 1 || shown.Events[0].ID != e.ID {
		t.Errorf("got %+v, want the event %s of %s", shown, e.ID, oddBooking)
	}
}
