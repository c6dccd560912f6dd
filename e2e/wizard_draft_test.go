package e2e

import (
	"net/http"
	"strings"
	"testing"
)

func TestWizardBackAndReload(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	a.addLists(t)
	p := a.as(t, operator, pageOptions{})
	p.beginWebhook(a.URL, "Accounting", "https://example.com/hook")
	p.unchoose("Booking cancelled")
	p.goesOn("channels")

	p.back() // the browser's button
	p.isAt("/events$")
	p.notChosen("Booking cancelled")
	p.back()
	p.isAt("/name$")
	p.holds("Name", "Accounting")
	p.holds("URL", "https://example.com/hook")
	if got := p.reload(); got != http.StatusOK {
		t.Errorf("reload: got %d, want 200", got)
	}
	p.holds("Name", "Accounting")
	p.fill("Name", "Books")
	p.goesOn("events")
	p.goesOn("channels")
	p.choose("Only selected channels")
	p.choose("Viator")
	p.goesOn("tours")

	p.press("Back") // the wizard's own
	p.isAt("/channels$")
	p.chosen("Only selected channels", "Viator")
	p.notChosen("Website")
	p.press("Name and URL (done)") // the bar of steps
	p.holds("Name", "Books")
	p.fill("URL", "ftp://example.com/")
	p.press("Back")
	p.isAt("/type$")
	p.goesOn("name")
	p.sees("not ftp://")
	p.refused("Continue", "not ftp://")
	if got := p.reload(); got != http.StatusOK { // a look at the draft; the browser does not ask whether to send it again
		t.Errorf("reload of a refused step: got %d, want 200", got)
	}
	p.holds("URL", "ftp://example.com/")
	p.refused("Continue", "not ftp://")
	p.fill("URL", "https://example.com/")
	p.goesOn("events")
	p.back() // to the step that was refused, which is right now
	p.isAt("/name$")
	p.holds("URL", "https://example.com/")
	p.goesOn("events")
	p.goesOn("channels")
	p.goesOn("tours")
	p.goesOn("review")
	p.reload()
	p.says("When a booking is confirmed on the Viator channel, for any tour, call https://example.com/.")

	p.follow("Change tours")
	p.choose("Only these tours")
	p.choose("Food Tour")
	p.goesOn("review")
	p.says("When a booking is confirmed on the Viator channel, for the tour Food Tour, call https://example.com/.")
	p.press("Create webhook")
	p.sees("“Books” is on")

	p.back() // to the review of a draft that is done
	p.sees("This draft no longer exists")
	if got := len(a.hooks(t)); got != 1 {
		t.Errorf("webhooks: got %d, want 1", got)
	}
}

func TestWizardInTwoTabs(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	p := a.as(t, operator, pageOptions{})
	p.beginWebhook(a.URL, "Accounting", "https://example.com/hook")
	q := p.newTab()
	q.visit(p.URL())

	p.choose("Voucher redeemed")
	p.goesOn("channels")
	q.choose("Payment request paid") // does not know of the voucher
	if got := q.submit("Continue"); got != http.StatusConflict {
		t.Errorf("overwrite what the other tab saved: got %d, want 409", got)
	}
	q.sees("You changed this step in another tab after you opened it.")
	q.chosen("Payment request paid")
	q.sees("Voucher redeemed")
	q.looks()
	q.press("Use what I typed here")
	q.isAt("/channels$")
	q.press("Name and URL (done)")
	q.fill("Name", "Books")
	q.goesOn("events")
	p.goesOn("tours")
	p.goesOn("review")
	p.sees("Books")
	p.says("When a booking is confirmed, is cancelled or is paid by payment request, on any channel, for any tour, call https://example.com/hook.")
	q.visit(q.draft() + "/review")
	p.press("Create webhook")
	p.sees("“Books” is on")
	if got := q.submit("Create webhook"); got != http.StatusNotFound {
		t.Errorf("create in the other tab: got %d, want 404", got)
	}
	q.sees("This draft no longer exists")
	q.sees("If it was finished, its webhook is in the list.")
	if got := len(a.hooks(t)); got != 1 {
		t.Errorf("webhooks: got %d, want 1", got)
	}
}

// What was looked at is what is created, and a test leaves a page that can be reloaded.
func TestWizardReviewsWhatItCreates(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	in := receiver(t)
	p := a.as(t, operator, pageOptions{})
	p.beginWebhook(a.URL, "Accounting", in.URL+"/hook?key=a%20b")
	p.leaveAllOpen()
	p.press("Send a test")
	p.sees("The test arrived: Accounting answered 200")
	if got := in.delivery(t); !strings.HasPrefix(got.URL, "/hook?key=a%20b&event=") {
		t.Errorf("test of the review: got %s, want the URL's own query first", got.URL)
	}
	if got := p.reload(); got != http.StatusOK {
		t.Errorf("reload after a test: got %d, want 200", got)
	}
	p.isAt("/review$")

	q := p.newTab()
	q.visit(p.draft() + "/name")
	q.fill("Name", "Books")
	q.goesOn("review")
	if got := p.submit("Create webhook"); got != http.StatusConflict {
		t.Errorf("create what another tab changed: got %d, want 409", got)
	}
	p.sees("This draft was changed after you opened it.")
	p.sees("Books")
	p.press("Create webhook")
	p.sees("“Books” is on")
}

func TestWizardResumes(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	a.addLists(t)
	p := a.as(t, operator, pageOptions{})
	p.beginWebhook(a.URL, "Accounting", "https://example.com/hook")
	p.choose("All events")
	p.goesOn("channels")
	p.choose("Only selected channels")
	p.refused("Continue", "Choose at least one channel") // kept, though not in order

	a.restart()
	p.visit(a.URL + "/webhooks")
	p.sees("Drafts")
	p.follow("Continue Accounting")
	p.isAt("/channels$")
	p.chosen("Only selected channels")
	p.choose("Website")
	p.goesOn("tours")

	a.kill9()
	a.restart()
	p.goesOn("review") // on the page that was open all the time
	p.says("When anything happens to a booking on the Website channel, for any tour, call https://example.com/hook.")

	p.opens("Discard")
	p.sees("What you entered is lost; no webhook was created yet.")
	p.press("Discard draft")
	p.isAt("/webhooks$")
	p.sees("The draft was discarded.")
	p.lacks("Drafts")

	p.beginWebhook(a.URL, "Another", "https://example.com/another")
	p.visit(a.URL + "/webhooks")
	p.opens("Discard")
	p.press("Discard draft")
	p.sees("The draft was discarded.")
	p.sees("No webhooks yet")

	p.press("Create new booking webhook") // only looked at: leaves nothing behind
	p.isAt("/type$")
	p.visit(a.URL + "/webhooks")
	p.lacks("Drafts")
}

func TestEditWebhook(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	a.addLists(t)
	id := a.addHook(t, "Accounting", "https://example.com/hook")
	p, late := a.as(t, operator, pageOptions{}), a.as(t, operator, pageOptions{})
	edit := func(p *page) {
		t.Helper()
		p.visit(a.URL + "/webhooks/" + id + "/settings")
		p.press("Edit")
		p.isAt("/review$")
		p.sees("Edit Accounting")
	}
	edit(late)
	late.follow("Change name and url")
	late.fill("Name", "Late")
	late.goesOn("review")

	edit(p)
	p.follow("Change name and url")
	p.fill("Name", "")
	p.refused("Continue", "Enter a name.")
	p.fill("Name", "Books")
	p.goesOn("review")
	p.follow("Change tours")
	p.choose("All except these tours")
	p.choose("Night Walk")
	p.goesOn("review")
	p.press("Save changes")
	p.isAt("/webhooks/" + id + "/settings$")
	p.sees("Your changes are saved.")
	p.sees("All tours except Night Walk")
	p.visit(a.URL + "/webhooks/" + id)
	p.says("When anything happens to a booking on any channel, for any tour except Night Walk, call Books.")
	p.noSecret()

	if got := late.submit("Save changes"); got != http.StatusConflict {
		t.Errorf("save what somebody else changed: got %d, want 409", got)
	}
	late.sees(operator + " changed this webhook after you started.")
	late.follow("View the webhook")
	late.sees("Books")
	late.back()
	late.opens("Discard")
	late.press("Discard draft")
	late.sees("Your changes were discarded. The webhook is unchanged.")
	late.isAt("/webhooks/" + id + "/settings$")
}
