package handlers_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"bookhook/incidents"
	"bookhook/webhook"
)

// Operators of an empty account see what to do first, with the address to copy; staff,
// who can do nothing of it, do not.
func TestHomeOfEmptyAccount(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	address := must(s, s.store.Connections, s.account.ID)[0].Path()
	s.signIn(anna).get("/").is(http.StatusOK).has("No booking has arrived yet.", "First steps", "1 of 6 done", // there are colleagues
		"Waiting for the first call from TourCMS…", address, "Ask the person who runs this Bookhook to give it a public address", "No call yet").
		lacks("--base-url", "Success rate", "Needs attention")
	s.signIn(admin).get("/").has("--base-url", `href="/admin"`)
	s.signIn(staff).get("/").is(http.StatusOK).has("No booking has arrived yet.", "No call yet").lacks("First steps", address, "Waiting for the first call")
}

func TestHomeChecklist(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	connection := must(s, s.store.Connections, s.account.ID)[0]
	s.check(s.store.AddRejectedRequest(t.Context(), webhook.RejectedRequest{
		Account: s.account.ID, Platform: "tourcms", Method: "GET", Status: 400, Why: webhook.NewMessage("tourcms.no_event"),
	}, time.Now()))
	s.check(s.store.ConnectionUsed(t.Context(), connection, "", time.Now()))
	b.get("/").has("2 of 6 done", "TourCMS called", "its request could not be read: The query names no event", connection.Path()).lacks("Needs attention")
	s.leave(webhook.Event{Platform: "tourcms", Type: "cancelled", BookingID: "4711"})
	b.get("/").has("3 of 6 done", "Booking cancelled, booking 4711", "Bookings arrive, but there is no webhook to send them on.",
		"1 request", "could not be read today", "View why").lacks(connection.Path())

	b.follow("/settings/checklist", url.Values{"hidden": {"1"}}).has("The checklist is hidden.").lacks("First steps")
	s.signIn(berta).get("/").lacks("First steps")
	s.signIn(others).get("/").has("First steps").lacks("4711")
	b.get("/settings/account").has("Show the checklist again")
	b.follow("/settings/checklist", url.Values{"hidden": {"0"}}).has("First steps")
	b.get("/settings/account").lacks("Show the checklist again")
}

// The first line names what fails, and each has its one button for those who may press it.
func TestHomeOfFailingWebhooks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	s.hook(nowhere, func(w *webhook.Webhook) { w.Name = "Accounting" })
	s.leave(webhook.Event{BookingID: "1"})
	b.get("/").has("All bookings are arriving.", "Success rate –", "nothing sent in 14 days", "Healthy").lacks("Needs attention")
	gone := s.hook(nowhere, func(w *webhook.Webhook) { w.Name = "Vouchers & more" })
	d := s.leave(webhook.Event{BookingID: "2"})[0]
	job := d.Decisions[1].Delivery
	_, _, err := s.store.Claim(t.Context(), webhook.Claim{Webhook: gone.ID, N: 1, Now: time.Now().Add(time.Hour), Lease: time.Now().Add(2 * time.Hour)})
	s.check(err)
	_, err = s.store.Store.Finish(t.Context(), webhook.Result{
		Delivery: job, Webhook: gone.ID, Account: s.account.ID, State: webhook.Failed, Gone: true,
		Attempt: webhook.Attempt{Number: 1, StartedAt: time.Now(), Status: http.StatusGone, Failure: webhook.FailGone},
	}, time.Now())
	s.check(err)
	b.get("/").has("Vouchers & more was switched off by Bookhook", "Needs attention", "Switch on", "1 delivery to Vouchers & more failed today", "0 %", "1 failed attempt",
		"1 failed in 14 days")
	s.signIn(staff).get("/").has("Vouchers & more was switched off", "Ask an operator to switch it on.").lacks("Switch on")
	s.signIn(others).get("/").lacks("Vouchers")
	s.signIn(lone).get("/admin").has("1 account has webhooks that are not receiving bookings.", "Needs attention", "1 failing or off", "River Tours")
	b.post("/webhooks/"+gone.ID.String()+"/switch", url.Values{"enabled": {"0"}})
	for _, w := range must(s, s.store.Webhooks, s.account.ID) {
		_, err := s.store.SetEnabled(t.Context(), s.account.ID, w.ID, true, change())
		s.check(err)
		_, err = s.store.SetEnabled(t.Context(), s.account.ID, w.ID, false, change())
		s.check(err)
	}
	b.get("/").has("Bookings are sent nowhere: every webhook is off.")
}

// A webhook that a person switched off is named once it skips bookings, and not before.
func TestHomeOfWebhookThatIsOff(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	s.hook(nowhere, func(w *webhook.Webhook) { w.Name = "Vouchers" })
	off := s.hook(nowhere, func(w *webhook.Webhook) { w.Name = "Accounting" })
	s.leave(webhook.Event{BookingID: "1"})
	b.post("/webhooks/"+off.ID.String()+"/switch", url.Values{"enabled": {"0"}})
	b.get("/").has("All bookings are arriving.").lacks("Needs attention")
	s.leave(webhook.Event{BookingID: "2"})
	b.get("/").has("Bookings are arriving, but not at Accounting, which is off.", "Needs attention", " by "+anna+": 1 event was not sent to it", "Switch on")
	s.signIn(staff).get("/").has("Ask an operator to switch it on.").lacks("Switch on")
	b.get("/webhooks").has(": 1 event was not sent to it")
	s.signIn(others).get("/").lacks("Accounting")
	b.post("/webhooks/"+off.ID.String()+"/switch", url.Values{"enabled": {"1"}})
	b.get("/").lacks("which is off", "was not sent to it")
}

// The accounts of an instance are shown page by page, by number.
func TestInstance(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(lone)
	b.get("/").is(http.StatusSeeOther)
	b.get("/admin").is(http.StatusOK).has("All webhooks of all accounts are receiving bookings.", "(UTC)", "River Tours", "Other Tours").lacks("Next page")
	for range 20 {
		s.addAccount(webhook.Account{Name: "Many", TimeZone: "Europe/Tallinn", WebhookLimit: 10})
	}
	b.get("/admin").has("Next page", `href="/admin?after=4087"`)
	b.get("/admin?after=4087").has("First page").lacks("River Tours", "Success rate")
}

// A source of whose silence people are notified is named, until events come again.
func TestHomeOfSilentSources(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	s.hook(nowhere)
	s.leave(webhook.Event{BookingID: "1"})
	began := time.Now().Add(-time.Hour)
	change := func(c incidents.Change) incidents.Incident {
		s.check(s.store.ChangeIncident(t.Context(), c, incidents.Notice{}, time.Now()))
		all, err := s.store.Incidents(t.Context(), s.account.ID, began, 9)
		s.check(err)
		for _, i := range all {
			if i.Key == c.To.Key {
				return i
			}
		}
		t.Fatal("the incident is not there")
		return incidents.Incident{}
	}
	open := func(subject string) incidents.Incident {
		return change(incidents.Change{To: incidents.Incident{
			Key: incidents.Key{Account: s.account.ID, Kind: incidents.Silence, Subject: subject}, Stage: incidents.Begun,
			Details: incidents.Details{Since: began, Usual: 40}, OpenedAt: began,
		}})
	}
	b.get("/").has("All bookings are arriving.").lacks("Silent")
	whole := open("tourcms")
	b.get("/").has("Nothing from TourCMS since ", "; usually about 40 events by now.", "Needs attention", "View platform", "Silent").lacks("All bookings are arriving.")
	s.signIn(others).get("/").lacks("Nothing from")
	open("tourcms/3930")
	b.get("/").has("Nothing from 2 sources that usually send bookings by now.", "Nothing from channel 3930 of TourCMS since ", "/events?channel_id=3930")
	over := whole
	over.ClearedAt = time.Now()
	change(incidents.Change{From: whole, To: over})
	b.get("/").has("Nothing from channel 3930 of TourCMS since ").lacks("Nothing from TourCMS since", "2 sources", "Silent<")
}

// What the filters leave out is counted, and the first line does not claim all bookings.
func TestHomeOfUnsentEvents(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	s.hook(nowhere, func(w *webhook.Webhook) { w.AllEvents, w.Events = false, []string{"cancelled"} })
	s.leave(webhook.Event{Type: "new_confirmed_web", BookingID: "1"})
	b.get("/").has("Today’s bookings are sent to no webhook.", "1 of 1 sent to no webhook", "/events?period=today&sent=false").lacks("Needs attention")
	s.leave(webhook.Event{Type: "cancelled", BookingID: "1"})
	b.get("/").has("Bookings are arriving.", "1 of 2 sent to no webhook").lacks("All bookings", "Needs attention")
	b.get("/events?period=today&sent=false").has("1 event").lacks("2 events")
	s.signIn(others).get("/").lacks("sent to no webhook")
}

// What failed for good stays for a week, and is not one of today.
func TestHomeOfFailedDeliveries(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	w := s.hook(nowhere, func(w *webhook.Webhook) { w.Name = "Vouchers" })
	id := s.leave(webhook.Event{BookingID: "1"})[0].Decisions[0].Delivery
	_, _, err := s.store.Claim(t.Context(), webhook.Claim{Webhook: w.ID, N: 1, Now: time.Now().Add(time.Hour), Lease: time.Now().Add(2 * time.Hour)})
	s.check(err)
	before := time.Now().Add(-48 * time.Hour)
	_, err = s.store.Store.Finish(t.Context(), webhook.Result{
		Delivery: id, Webhook: w.ID, Account: s.account.ID, State: webhook.Failed,
		Attempt: webhook.Attempt{Number: 1, StartedAt: before, Status: http.StatusConflict, Failure: webhook.FailStatus},
	}, before)
	s.check(err)
	b.get("/").has("Bookings are arriving, but 1 delivery to Vouchers failed since ", "Needs attention", "View and send again", "Delivered 0 0 failed").
		lacks("failed today", "All bookings")
}

// A webhook that accepts only some deliveries comes before those that are well, and needs
// attention.
func TestHomeOfUnreliableWebhook(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	s.hook(nowhere, func(w *webhook.Webhook) { w.Name = "Accounting" })
	w := s.hook(nowhere, func(w *webhook.Webhook) { w.Name = "Vouchers" })
	for i := range webhook.LatestCounted {
		id := s.leave(webhook.Event{BookingID: strconv.Itoa(i)})[0].Decisions[1].Delivery
		_, _, err := s.store.Claim(t.Context(), webhook.Claim{Webhook: w.ID, N: 1, Now: time.Now(), Lease: time.Now().Add(time.Hour)})
		s.check(err)
		r := webhook.Result{
			Delivery: id, Webhook: w.ID, Account: s.account.ID, State: webhook.Delivered, Attempt: webhook.Attempt{Number: 1, StartedAt: time.Now(), Status: http.StatusOK},
		}
		if i%2 == 0 {
			r.State, r.NextAt, r.Attempt.Status, r.Attempt.Failure = webhook.Pending, time.Now().Add(time.Hour), http.StatusConflict, webhook.FailStatus
		}
		_, err = s.store.Store.Finish(t.Context(), r, time.Now())
		s.check(err)
	}
	for _, path := range []string{"/", "/webhooks"} {
		words := b.get(path).has("Unreliable", "5 of the last 10 deliveries were not accepted").words
		if _, table, _ := strings.Cut(words, "Last 14 days"); strings.Index(table, "Vouchers") > strings.Index(table, "Accounting") {
			t.Errorf("%s: the one that is well comes first:\n%s", path, table)
		}
	}
	b.get("/").has("Needs attention", "Retry now")
}
