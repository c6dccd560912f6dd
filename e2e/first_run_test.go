package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
)

// ticked waits until these steps of the checklist are ticked, and no others.
func (p *page) ticked(titles ...string) {
	p.t.Helper()
	done := p.Locator(".checklist li:has(.mark.done)")
	must(p.t, expect.Locator(done).ToHaveCount(len(titles)))
	for _, title := range titles {
		must(p.t, expect.Locator(done.Filter(playwright.LocatorFilterOptions{HasText: title})).ToHaveCount(1))
	}
}

// A newcomer gets from an empty database to the first booking of TourCMS delivered, and to the end of the checklist,
// which ticks itself while they watch.
func TestFirstRun(t *testing.T) {
	t.Parallel()
	srv := startServer(t, "--allow-private-targets", "127.0.0.0/8")
	in := receiver(t)
	p := newPage(t, pageOptions{})
	begun := time.Now()
	p.visit(srv.URL)
	p.isAt("/login")
	p.sees("It is the last thing in the terminal.")
	p.lacks("409")

	p.visit(srv.setupLink())
	p.fill("Company name", "Ada Tours")
	p.fill("Your e-mail address", operator)
	p.fill("Password", password)
	p.press("Create account")
	p.isAt("/$")
	p.has("h1", "No booking has arrived yet.")
	p.has(".checklist", "0 of 7 done")
	p.sees("Waiting for the first call from TourCMS…")
	p.sees("TourCMS cannot call this address: it leads to your own computer.")
	p.sees("--base-url https://…")
	p.looks()
	address := p.text("#platform-tourcms-address")
	must(t, p.Locator(".checklist [data-copy]").Click()) // and the focus stays on it

	if got := tells(t, address+"?nonsense=1", "", ""); got < 400 {
		t.Fatalf("nonsense: got %d, want a refusal", got)
	}
	p.sees("TourCMS called just now, but its request could not be read: The query names no event")
	p.ticked("Connect your booking platform")
	p.looks()
	p.follow("View the request")
	p.isAt("/settings/rejected")
	p.back()

	if got := tells(t, address+cancelled+"1234", "", ""); got != http.StatusOK {
		t.Fatalf("a real call: got %d, want 200", got)
	}
	p.ticked("Connect your booking platform", "Receive the first event")
	p.has("h1", "Bookings arrive, but there is no webhook to send them on.")
	p.named("link", "Booking cancelled, booking 1234").Click() //nolint:errcheck // isAt notices
	p.isAt("/events/evt_")
	p.back()

	p.press("Create webhook")
	p.isAt("/type$")
	p.goesOn("name")
	p.fill("Name", "Accounting")
	p.fill("URL", in.URL)
	p.goesOn("events")
	p.leaveAllOpen()
	p.press("Create webhook")
	p.isAt("/webhooks/whk_")
	p.follow("Home")
	p.ticked("Connect your booking platform", "Receive the first event", "Create your first webhook")
	tells(t, address+cancelled+"1235", "", "")
	in.next(t)
	p.ticked("Connect your booking platform", "Receive the first event", "Create your first webhook", "Deliver the first booking")
	p.has("h1", "Bookings are arriving, but 1 request could not be read today.")
	t.Logf("from the first visit to the first booking delivered: %s", time.Since(begun).Round(time.Second))
	p.looks()

	p.finishesChecklist()
}

// finishesChecklist does what is left when bookings are delivered; then there is no checklist any more.
func (p *page) finishesChecklist() {
	p.t.Helper()
	p.follow("Add channels")
	p.addItem("Add a channel", "3930", "Website", "Add channel")
	p.follow("Home")
	p.follow("Add tours")
	p.addItem("Add a tour", "12", "Night Walk", "Add tour")
	p.follow("Home")
	p.has(".checklist", "5 of 7 done")
	p.follow("Add a person")
	p.fill("E-mail", "tim@example.com")
	p.press("Add person")
	p.follow("Home")
	p.has(".checklist", "6 of 7 done")
	p.follow("Set up e-mail")
	p.sees("--mail smtp://")
	p.follow("Home")
	p.press("Hide")
	must(p.t, expect.Locator(p.Locator(".checklist")).ToHaveCount(0))
	p.looks()
}

func (p *page) addItem(form, id, name, button string) {
	p.t.Helper()
	p.opens(form)
	p.fill("Id", id)
	p.fill("Name", name)
	p.press(button)
	p.sees(name)
}

// Without JavaScript the checklist ticks with each reload; it can be hidden and comes back.
func TestFirstRunWithoutJavaScript(t *testing.T) {
	t.Parallel()
	srv := startServer(t)
	p := newPage(t, pageOptions{NoScript: true, Phone: true})
	p.visit(srv.setupLink())
	p.fill("Company name", "Ada Tours")
	p.fill("Your e-mail address", operator)
	p.fill("Password", password)
	p.press("Create account")
	p.sees("Waiting for the first call from TourCMS…")
	p.fits()
	tells(t, p.text("#platform-tourcms-address")+cancelled+"1234", "", "")
	p.reload()
	p.ticked("Connect your booking platform", "Receive the first event")
	p.press("Hide")
	p.sees("The checklist is hidden.")
	must(t, expect.Locator(p.Locator(".checklist")).ToHaveCount(0))
	p.visit(srv.URL + "/settings/account")
	p.press("Show the checklist again")
	p.isAt("/$")
	p.ticked("Connect your booking platform", "Receive the first event")
}

// Home says in its first line which webhook fails, and its one button sends what is waiting.
func TestHomeOfFailingWebhook(t *testing.T) {
	for name, o := range map[string]pageOptions{"computer": {}, "phone": {Phone: true, Dark: true}, "without JavaScript": {NoScript: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			op := newShop(t)
			well, gone := receiver(t), receiver(t)
			gone.answers(http.StatusGone)
			op.webhook("Accounting", well.URL, nil)
			hook := op.webhook("Vouchers", gone.URL, nil)
			op.await(op.booking("1234").to(hook), "failed")

			p := op.as(t, operator, o)
			p.visit(op.URL)
			p.has("h1", "Vouchers was switched off by Bookhook.")
			p.has("#main", "1 delivery to Vouchers failed today")
			p.has("tbody tr:first-child", "Vouchers")
			p.fits()
			if !o.NoScript {
				p.looks()
			}
			must(t, p.named("button", "Switch on").First().Click())
			p.isAt("/webhooks/" + hook.ID)
			gone.answers(http.StatusOK)
			p.visit(op.URL)
			p.has("h1", "Bookings are arriving, but 1 delivery to Vouchers failed today.")
		})
	}
}
