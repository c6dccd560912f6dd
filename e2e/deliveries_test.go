package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// The name in the URL has what must come through untouched, the booking what must be encoded.
const (
	ownQuery       = "team=night&x=%7e+a%20b&x="
	oddBooking     = `B 1/2 & é "<b>`
	oddBookingJSON = `"B 1/2 & é \"<b>"`
	oddBookingPct  = "B%201%2F2%20%26%20%C3%A9%20%22%3Cb%3E"
	oddData        = `{"lead":"Zoë 🚌 <script>alert(1)</script>",  "price": 1.50, "big": 12345678901234567890}`
)

// oddEvent is an event as a booking system wrote it: numbers as ids, and data that are not to be touched.
const oddEvent = `{"id": "tc-1", "type": "new_confirmed_web", "channel_id": 3930, "tour_ids": [12, "15"],
	"booking_id": ` + oddBookingJSON + `, "occurred_at": "2026-11-21T10:00:00+01:00", "data": ` + oddData + `}`

func TestDeliveryIsShownAsItWas(t *testing.T) {
	op := newShop(t)
	in := receiver(t)
	in.answerWith(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", "Sat, 21 Nov 2026 09:00:01 GMT")
		w.Header()["X-Receipt"] = []string{"42", "<i>43</i>"}
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"ok":true, "say":"<b>thanks</b> & bye"}`)
	})
	hook := op.webhook("Accounting", in.URL+"/books/", nil)
	e := op.event(oddEvent)
	got := in.next(t)
	op.await(e.to(hook), "delivered")

	if got.Method != "POST" || got.URL != "/books/" {
		t.Errorf("got %s %s, want POST /books/", got.Method, got.URL)
	}
	want := map[string]string{
		"id": `"` + e.ID + `"`, "type": `"new_confirmed_web"`, "platform": `"tourcms"`, "account_id": `"4069"`, "channel_id": `"3930"`,
		"tour_ids": `["12","15"]`, "booking_id": oddBookingJSON, "timestamp": `"2026-11-21T09:00:00Z"`, "data": oddData,
		"booking": `{"action":"made","reference":` + oddBookingJSON + `,"channel":{"id":"3930"},"tours":[{"id":"12"},{"id":"15"}]}`,
	}
	if got := members(t, got.Body); !maps.Equal(got, want) {
		t.Errorf("body:\ngot  %s\nwant %s", got, want)
	}
	hasTry(t, got, e.to(hook), 1)
	verify(t, got, hook.Secret)

	p := op.as(t, operator, pageOptions{})
	p.visit(op.URL + "/deliveries")
	p.lists(1, oddBooking, "Accounting", "Delivered", "201 Created")
	p.opensRow(oddBooking)
	p.isAt("/deliveries/" + e.to(hook) + "$")
	p.sees("Your server accepted this event of booking " + oddBooking)
	p.sees("on the first try")
	p.sees("Nothing is left to do.")
	p.hasExactly(side(requestOf, 1)+" pre.line", "POST "+in.URL+"/books/")
	p.hasExactly("#request-1-raw", string(got.Body))
	p.showsHeaders(side(requestOf, 1), withHost(got, in))
	p.has(side(responseTo, 1)+" pre.line", "201 Created")
	p.hasExactly("#response-1-raw", `{"ok":true, "say":"<b>thanks</b> & bye"}`)
	p.showsHeaders(side(responseTo, 1), http.Header{
		"Content-Length": {"40"}, "Content-Type": {"text/plain; charset=utf-8"}, "Date": {"Sat, 21 Nov 2026 09:00:01 GMT"},
		"X-Receipt": {"42", "<i>43</i>"},
	})
	p.follow("Accounting")
	p.isAt(hook.ID + "$")
}

// members are those of a JSON object, as they are written; only texts are brought to one way of escaping.
func members(t testing.TB, body []byte) map[string]string {
	t.Helper()
	var object map[string]json.RawMessage
	must(t, json.Unmarshal(body, &object))
	written := map[string]string{}
	for name, value := range object {
		var text string
		if json.Unmarshal(value, &text) == nil {
			value = []byte(strconv.Quote(text))
		}
		written[name] = string(value)
	}
	return written
}

// withHost are the headers of a request, with the one that Go keeps elsewhere.
func withHost(r request, in *inbox) http.Header {
	h := r.Header.Clone()
	h.Set("Host", strings.TrimPrefix(in.URL, "http://"))
	return h
}

// showsHeaders unfolds the headers of a side and compares them with those that the receiver got: no more and no less.
func (p *page) showsHeaders(side string, want http.Header) {
	p.t.Helper()
	box := p.Locator(side + " details.headers")
	must(p.t, box.Locator("summary").Click())
	names, err := box.Locator("dt").AllInnerTexts()
	must(p.t, err)
	values, err := box.Locator("dd").AllInnerTexts()
	must(p.t, err)
	got := http.Header{}
	for i, name := range names {
		got.Add(name, values[i])
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		p.t.Errorf("%s, headers:\nshown    %v\nreceived %v", side, got, want)
	}
}

func TestNativeDeliveryIsTourCMSToTheByte(t *testing.T) {
	op := newShop(t)
	in := receiver(t)
	hook := op.webhook("Guide rota", in.URL+"/a%2Fb?"+ownQuery, map[string]any{"format": "native"})
	e := op.event(oddEvent)
	got := in.next(t)
	op.await(e.to(hook), "delivered")

	want := "/a%2Fb?" + ownQuery + "&event=new_confirmed_web&account_id=4069&account_name=Tallinn%20%26%20Tartu%20Tours" +
		"&channel_id=3930&booking_id=" + oddBookingPct
	if got.Method != "GET" || got.URL != want || len(got.Body) > 0 {
		t.Errorf("got  %s %s %q\nwant GET %s", got.Method, got.URL, got.Body, want)
	}
	hasTry(t, got, e.to(hook), 1)
	verify(t, got, hook.Secret)

	p := op.as(t, operator, pageOptions{})
	p.visit(op.page(e.to(hook)))
	p.hasExactly(side(requestOf, 1)+" pre.line", "GET "+in.URL+want)
	p.showsHeaders(side(requestOf, 1), withHost(got, in))
	p.has(side(requestOf, 1), "No body.")
	p.has(side(responseTo, 1), "No body.")
}

// 201 is a success, but not for TourCMS, where it is 200 exactly.
func TestNativeDeliveryNeedsExactly200(t *testing.T) {
	op := newShop(t)
	in := receiver(t)
	in.answers(http.StatusCreated)
	hook := op.webhook("Guide rota", in.URL, map[string]any{"format": "native"})
	e := op.booking("1")
	op.awaitTries(e.to(hook), 1)
	p := op.as(t, operator, pageOptions{})
	p.visit(op.page(e.to(hook)))
	p.sees("Your server answered 201 (created), but this format counts 200 only as accepted.")
	p.seesMatch(`^Bookhook tries again at \d\d:\d\d \(in \d s\)`)
}

func TestEventTellsWhatBecameOfItForEveryWebhook(t *testing.T) {
	op := newShop(t)
	in := receiver(t)
	op.items("channels", "3930 Website", "4102 Viator")
	op.items("tours", "12 City Walk", "15 Bog Walk", "20 Sunset Sail")
	include := func(ids ...string) map[string]any { return map[string]any{"mode": "include", "ids": ids} }
	exclude := func(ids ...string) map[string]any { return map[string]any{"mode": "exclude", "ids": ids} }
	hooks := []struct {
		target
		reason, words string // of the odd event
		bare          string // words for an event that names nothing
	}{
		{op.webhook("Everything", in.URL, nil), "", "Delivered", "Delivered"},
		{op.webhook("Without City Walk", in.URL, map[string]any{"tours": exclude("12")}), "", "Delivered", "Delivered"},
		{op.webhook("Sleeping", in.URL, map[string]any{"enabled": false}), "webhook_disabled", "The webhook was switched off when the event came in.", "The webhook was switched off when the event came in."},
		{op.webhook("Vouchers", in.URL, map[string]any{"events": []string{"redeem_voucher"}}), "event_not_selected", "The webhook is not told of this kind of event.", "The webhook is not told of this kind of event."},
		{op.webhook("Resellers", in.URL, map[string]any{"channels": include("4102")}), "channel_not_selected", "The booking came through a channel that the webhook is not told of.", "The event names no channel, and the webhook is told of selected channels only."},
		{op.webhook("Boats", in.URL, map[string]any{"tours": include("20")}), "tour_not_included", "None of the booking’s tours is one that the webhook is told of.", "The event names no tour, and the webhook is told of selected tours only."},
		{op.webhook("Neither walk", in.URL, map[string]any{"tours": exclude("12", "15")}), "tour_excluded", "Every tour of the booking is one that the webhook leaves out.", "Delivered"},
	}
	odd, bare := op.event(oddEvent), op.event(`{"type":"cancelled"}`)
	skipped := map[string]string{}
	for _, s := range odd.Skipped {
		skipped[s.Webhook] = s.Reason
	}
	for _, h := range hooks {
		if got := skipped[h.ID]; got != h.reason {
			t.Errorf("%s: got reason %q, want %q", h.Name, got, h.reason)
		}
		for _, e := range []accepted{odd, bare} {
			if id := e.to(h.target); id != "" {
				op.await(id, "delivered")
			}
		}
	}

	p := op.as(t, operator, pageOptions{})
	p.visit(op.URL + "/events")
	p.lists(1, oddBooking, "Website", "2 of 7 webhooks")
	p.opensRow(oddBooking)
	p.isAt(odd.ID + "$")
	p.hasExactly("#data-raw", oddData)
	p.sees("City Walk")
	for _, h := range hooks {
		p.has("#decisions + ul li:has-text('"+h.Name+"')", h.words)
	}
	p.follow("See delivery to Without City Walk")
	p.isAt(odd.to(hooks[1].target) + "$")
	p.visit(op.page(bare.ID))
	for _, h := range hooks {
		p.has("#decisions + ul li:has-text('"+h.Name+"')", h.bare)
	}
	p.sees("The event came without data.")
}

func TestRedirectIsNotFollowed(t *testing.T) {
	op := newShop(t)
	there, elsewhere := receiver(t), receiver(t)
	there.answerWith(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+"/new?from=old", http.StatusTemporaryRedirect)
	})
	hook := op.webhook("Moved", there.URL, nil)
	e := op.booking("1")
	d := op.awaitTries(e.to(hook), 1)
	if got := d.Attempts[0].Reason; got != "redirect" {
		t.Errorf("reason: got %q, want redirect", got)
	}
	p := op.as(t, operator, pageOptions{})
	p.visit(op.page(d.ID))
	p.sees("Your server pointed to another address (307 (temporary redirect)), and Bookhook does not follow.")
	p.sees("a redirect to " + elsewhere.URL + "/new?from=old. Bookhook does not follow redirects; enter the final address")
	if n := elsewhere.waiting(); n != 0 {
		t.Errorf("the other address got %d requests, want none", n)
	}
}

// The guard stands in the dialer: also for a webhook that was made when its address was still allowed.
func TestPrivateAddressIsNotCalled(t *testing.T) {
	op := newShop(t)
	in := receiver(t)
	hook := op.webhook("Inside", in.URL, nil)
	op.args = op.args[:len(op.args)-2] // without --allow-private-targets
	op.restart()
	e := op.booking("1")
	d := op.awaitTries(e.to(hook), 1)
	if got := d.Attempts[0].Reason; got != "blocked" {
		t.Errorf("reason: got %q, want blocked", got)
	}
	p := op.as(t, operator, pageOptions{})
	p.visit(op.page(d.ID))
	p.sees("The address of the webhook is in a private network, which this Bookhook does not call.")
	p.sees("Bookhook does not call 127.0.0.1: it is ")
	p.sees("ask the person who runs this Bookhook to allow it.")
	p.sees("Your server gave no answer.")
	p.visit(op.URL + "/deliveries")
	p.lists(1, "Waiting", "Address not allowed")
	if n := in.waiting(); n != 0 {
		t.Errorf("the receiver got %d requests, want none", n)
	}
	problem := op.ask("POST", "/webhooks", map[string]any{
		"name": "Again", "url": "http://[::ffff:7f00:1]/", "type": "async", "format": "standard", "events": []string{"*"},
	}).refused(t, http.StatusUnprocessableEntity)
	if got := problem.Errors["url"]; !strings.Contains(got, "ask the person who runs this Bookhook to allow it") {
		t.Errorf("errors: got %q, want one for url that says what to do", problem.Errors)
	}
}

// Of a long answer the first 64 KiB are kept, and shown as text even if the cut is in the middle of a letter. What is no
// text is shown as its bytes.
func TestLongAndOddAnswersAreShown(t *testing.T) {
	op := newShop(t)
	in := receiver(t)
	hook := op.webhook("Talkative", in.URL, nil)
	answer := func(booking, text string) string {
		in.answerWith(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTeapot)
			io.WriteString(w, text) //nolint:errcheck // the test sees it
		})
		id := op.booking(booking).to(hook)
		op.awaitTries(id, 1)
		return op.page(id)
	}
	long := answer("1", "begins "+strings.Repeat("é", 100_000)+" ends")
	odd := answer("2", "\xff\x00ab")
	p := op.as(t, operator, pageOptions{})
	p.visit(long)
	p.sees("418 (i'm a teapot)")
	p.seesMatch("Bookhook keeps the first 64 [Kk]i?B of an answer; there was more")
	p.has("#response-1", "begins éééé")
	p.visit(odd)
	p.has("#response-1", "ff 00 61 62")
}

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
	p.follow("Go to the webhooks")
	p.isAt("/webhooks$")

	first := op.booking("100")
	second := op.event(map[string]any{"type": "redeem_voucher", "booking_id": "200"})
	third := op.booking("300")
	op.ask("POST", "/webhooks/"+portal.ID+"/test", nil).want(t, http.StatusAccepted, nil)
	op.await(first.to(books), "delivered")
	op.await(second.to(books), "delivered")
	op.await(third.to(books), "delivered")
	op.awaitTries(first.to(portal), 1)
	op.awaitTries(third.to(portal), 1)
	p.visit(op.page(third.to(portal)))
	p.opens("Stop trying")
	p.press("Stop trying now")
	p.sees("Bookhook makes no further try.")

	p.visit(op.URL + "/deliveries")
	p.sees("6 deliveries")
	return op, p, portal
}

func TestLogFilters(t *testing.T) {
	op, p, portal := logOfAll(t)
	for _, tt := range []struct {
		label, option, query string
		rows                 int
		text                 string // stands in every row
	}{
		{"Status", "Delivered", "state=delivered", 3, "Accounting"},
		{"Status", "Waiting", "state=pending", 1, "next try in"},
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
	p.follow("Look among the events")
	p.isAt(`/events\?booking_id=100$`)
	p.lists(1, "100", "2 of 2 webhooks")
	p.back()
	p.follow("Clear the filters")
	p.sees("6 deliveries")
}

func TestLogFiltersByDay(t *testing.T) {
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
	p.fill("From", day)
	p.fill("To", day)
	p.press("Filter")
	p.isAt("since=" + day + "&until=" + day + "$")
	p.lists(1, "100")
	p.fill("From", "2099-01-01")
	p.fill("To", "")
	p.press("Filter")
	p.sees("No delivery matches")
	p.visit(op.URL + "/deliveries?until=2020-02-29")
	p.sees("No delivery matches")
	for query, problem := range map[string]string{
		"since=2026-02-30":                     "Write the day as year, month and day",
		"since=2026-11-21&until=2026-11-20":    "This day lies before the first one.",
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

func TestLogAnnouncesNewDeliveries(t *testing.T) {
	op := newShop(t)
	in := receiver(t)
	hook := op.webhook("Accounting", in.URL, map[string]any{"events": []string{"cancelled"}})
	other := op.webhook("Vouchers", in.URL, map[string]any{"events": []string{"redeem_voucher"}})
	op.await(op.booking("1").to(hook), "delivered")
	p := op.as(t, operator, pageOptions{})
	must(t, p.Clock().Install())
	p.visit(op.URL + "/deliveries?webhook_id=" + hook.ID)
	p.lists(1)
	op.await(op.event(map[string]any{"type": "redeem_voucher", "booking_id": "2"}).to(other), "delivered")
	op.await(op.booking("3").to(hook), "delivered")
	must(t, p.Clock().FastForward(10_000))
	p.has("[data-live]", "1 new delivery – show")
	p.lists(1) // nothing jumps
	op.await(op.booking("4").to(hook), "delivered")
	must(t, p.Clock().FastForward(10_000))
	p.follow("2 new deliveries – show")
	p.isAt(`/deliveries\?webhook_id=` + hook.ID + "$")
	p.lists(3)
	must(t, p.Clock().FastForward(10_000))
	p.has("[data-live]", "")
	p.lacks("new deliver")
}
