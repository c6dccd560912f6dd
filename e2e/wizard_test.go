package e2e

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// goesOn presses Continue and checks that the wizard goes on to this step.
func (p *page) goesOn(step string) {
	p.t.Helper()
	p.press("Continue")
	p.isAt("/drafts/drf_[0-9a-zA-Z]+/" + step + "$")
}

// beginWebhook begins a webhook, and leaves the wizard at the events.
func (p *page) beginWebhook(site, name, url string) {
	p.t.Helper()
	p.visit(site + "/webhooks")
	p.press("Create new booking webhook")
	p.isAt("/type$")
	p.goesOn("name")
	p.fill("Name", name)
	p.fill("URL", url)
	p.goesOn("events")
}

// leaveAllOpen goes from the events to the review and chooses nothing.
func (p *page) leaveAllOpen() {
	p.t.Helper()
	p.goesOn("channels")
	p.goesOn("tours")
	p.goesOn("review")
}

// draft is the address of the draft without its step.
func (p *page) draft() string {
	p.t.Helper()
	found := regexp.MustCompile(`^.*/drafts/[^/]+`).FindString(p.URL())
	if found == "" {
		p.t.Fatalf("%s is no step of a draft", p.URL())
	}
	return found
}

// says checks the sentence that sums the webhook up.
func (p *page) says(sentence string) {
	p.t.Helper()
	must(p.t, expect.Locator(p.Locator(".sentence")).ToHaveText(sentence))
}

var secret = regexp.MustCompile(`whsec_[A-Za-z0-9+/=]{20,}`)

// secretOnce checks that the page shows the secret of a new webhook, and never again.
func (p *page) secretOnce() {
	p.t.Helper()
	shown := p.text("#secret")
	if !secret.MatchString(shown) {
		p.t.Errorf("secret: got %q, want whsec_…", shown)
	}
	p.sees("Copy it now; it is not shown again.")
	address := p.URL()
	p.reload()
	p.noSecret()
	p.visit(address + "?again=1")
	p.noSecret()
	p.back()
	p.noSecret()
}

func (p *page) noSecret() {
	p.t.Helper()
	html, err := p.Content()
	must(p.t, err)
	if found := secret.FindString(html); found != "" {
		p.t.Errorf("%s shows the secret %s again", p.URL(), found)
	}
}

// delivery is the next request that is not the wizard's look at the URL.
func (in *inbox) delivery(t testing.TB) request {
	t.Helper()
	for {
		if r := in.next(t); r.Method != "HEAD" {
			return r
		}
	}
}

func TestWizardNative(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	a.addLists(t)
	in := receiver(t)
	p := a.as(t, operator, pageOptions{})

	p.visit(a.URL + "/webhooks")
	for _, part := range []string{"Configuration", "Booking webhooks"} {
		p.sees(part)
	}
	p.sees("0 of 10")
	p.press("Create new booking webhook")
	p.chosen("Asynchronous (post-booking) webhook")
	p.sees("Asked before the booking is confirmed; one per channel.")
	p.goesOn("name")

	p.fill("Name", "Accounting 🎟")
	p.fill("URL", in.URL+"/hook?key=a%20b")
	p.choose("Native call")
	p.opens("View the request that the receiver gets")
	p.sees("GET " + in.URL + "/hook?key=a%20b&event=") // the example follows what is typed
	p.goesOn("events")

	p.choosesPayments()
	p.goesOn("channels")

	p.choose("Only selected channels")
	p.choose("Website")
	p.choose("Viator")
	p.sees("2 selected")
	p.goesOn("tours")

	p.choose("All except these tours")
	p.choose("Night Walk")
	p.goesOn("review")

	p.says("When a booking is confirmed, is cancelled, is paid by payment request or fails to be paid by payment request, " +
		"on the Website or Viator channel, for any tour except Night Walk, call " + in.URL + "/hook?key=a%20b.")
	p.sees("is webhook 1 of 10")
	p.press("Create webhook")
	p.isAt("/webhooks/whk_[0-9a-zA-Z]+/signing$")
	p.sees("“Accounting 🎟” is on and receives new events from now on.")
	p.choose("Python")
	p.sees("def verify(secret, headers, body):")
	p.secretOnce()
	p.opensTab("Overview")
	p.sees("Waiting for the first delivery")
	p.follow("Say that it is stored")
	p.press("I have stored it")
	p.sees("Stored. Send a test to see that the receiver accepts the signature.")
	p.lacks("Does the receiver have the signing secret?")

	p.press("Send a test")
	p.isAt("/deliveries/dlv_")
	got := in.delivery(t)
	query, err := url.Parse(got.URL)
	must(t, err)
	if got.Method != "GET" || !strings.HasPrefix(got.URL, "/hook?key=a%20b&event=") || query.Query().Get("channel_id") != "3930" {
		t.Errorf("test delivery: got %s %s, want a GET with the URL's own query first and channel 3930", got.Method, got.URL)
	}
}

// choosesPayments adds the events of payments to those that are proposed, by the tools of the events step.
func (p *page) choosesPayments() {
	p.t.Helper()
	p.chosen("New confirmed booking (staff)", "New confirmed booking (web/API)", "Booking cancelled")
	p.notChosen("Voucher redeemed", "Payment request paid")
	p.press("Select all in Payment")
	p.chosen("Payment request paid", "Payment request failed")
	p.press("Clear all in Payment")
	p.notChosen("Payment request paid", "Payment request failed")
	p.press("Select all in Payment")
	p.fill("Search events", "voucher")
	p.lacks("Booking cancelled")
	p.fill("Search events", "")
	p.sees("Booking cancelled")
}

func TestWizardStandard(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	a.addLists(t)
	in := receiver(t)
	p := a.as(t, operator, pageOptions{Dark: true})
	p.visit(a.URL + "/webhooks")
	p.press("Create your first webhook")
	p.goesOn("name")
	p.fill("Name", "Partner")
	p.fill("URL", in.URL)
	p.chosen("Signed JSON")
	p.opens("View the request that the receiver gets")
	p.sees("POST " + in.URL)
	p.goesOn("events")
	p.choose("All events")
	p.lacks("Booking cancelled")
	p.goesOn("channels")
	p.chosen("All channels")
	p.goesOn("tours")

	p.choose("Only these tours")
	p.choose("Day Trip")
	p.opens("Paste a list of ids")
	p.fill("Tour ids", "12, 13;99\n 14")
	p.refused("Continue", "This account has no tour with the id 99.")
	p.holds("Tour ids", "12, 13;99\n 14")
	p.chosen("Only these tours", "Day Trip")
	p.fill("Tour ids", "12, 13\n 14")
	p.goesOn("review")

	p.says("When anything happens to a booking on any channel, for the tours Harbour Walk, Food Tour or Day Trip, call " + in.URL + ".")
	p.press("Create webhook")
	p.secretOnce()

	a.send(t, "B-1") // tours 12 and 15: one of them is listed
	got := in.delivery(t)
	if got.Method != "POST" || !strings.Contains(string(got.Body), `"booking_id":"B-1"`) || got.Header.Get("Webhook-Signature") == "" {
		t.Errorf("delivery: got %s %s with signature %q", got.Method, got.Body, got.Header.Get("Webhook-Signature"))
	}
	p.opensTab("Deliveries")
	p.sees("B-1")
}
