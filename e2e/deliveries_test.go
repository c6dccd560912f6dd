package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
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
	t.Parallel()
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
	isAttempt(t, got, e.to(hook), 1)
	verify(t, got, hook.Secret)

	p := op.as(t, operator, pageOptions{})
	p.visit(op.URL + "/deliveries")
	p.lists(1, oddBooking, "Accounting", "Delivered", "201 Created")
	p.opensRow(oddBooking)
	p.isAt("/deliveries/" + e.to(hook) + "$")
	p.sees("Accounting accepted this event of booking " + oddBooking)
	p.sees("on the first attempt")
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
	t.Parallel()
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
	isAttempt(t, got, e.to(hook), 1)
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
	t.Parallel()
	op := newShop(t)
	in := receiver(t)
	in.answers(http.StatusCreated)
	hook := op.webhook("Guide rota", in.URL, map[string]any{"format": "native"})
	e := op.booking("1")
	op.awaitAttempts(e.to(hook), 1)
	p := op.as(t, operator, pageOptions{})
	p.visit(op.page(e.to(hook)))
	p.sees("Guide rota answered 201 Created, but this format accepts only 200.")
	p.seesMatch(`^Next attempt at \d\d:\d\d \(in \d s\)`)
}

func TestEventTellsWhatBecameOfItForEveryWebhook(t *testing.T) {
	t.Parallel()
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
		{op.webhook("Sleeping", in.URL, map[string]any{"enabled": false}), "webhook_disabled", "The webhook was off when the event was received.", "The webhook was off when the event was received."},
		{op.webhook("Vouchers", in.URL, map[string]any{"events": []string{"redeem_voucher"}}), "event_not_selected", "This type of event is not selected in the webhook.", "This type of event is not selected in the webhook."},
		{op.webhook("Resellers", in.URL, map[string]any{"channels": include("4102")}), "channel_not_selected", "The channel of the booking is not selected in the webhook.", "The event names no channel, and the webhook is limited to selected channels."},
		{op.webhook("Boats", in.URL, map[string]any{"tours": include("20")}), "tour_not_included", "None of the booking’s tours is selected in the webhook.", "The event names no tour, and the webhook is limited to selected tours."},
		{op.webhook("Neither walk", in.URL, map[string]any{"tours": exclude("12", "15")}), "tour_excluded", "All of the booking’s tours are excluded in the webhook.", "Delivered"},
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
	p.lists(1, oddBooking, "Website", "2 delivered")
	p.opensRow(oddBooking)
	p.isAt(odd.ID + "$")
	p.hasExactly("#data-raw", oddData)
	p.sees("City Walk")
	for _, h := range hooks {
		p.has("#decisions + ul li:has-text('"+h.Name+"')", h.words)
	}
	p.follow("View delivery to Without City Walk")
	p.isAt(odd.to(hooks[1].target) + "$")
	p.visit(op.page(bare.ID))
	for _, h := range hooks {
		p.has("#decisions + ul li:has-text('"+h.Name+"')", h.bare)
	}
	p.sees("This event has no data.")
}

func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	there, elsewhere := receiver(t), receiver(t)
	there.answerWith(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+"/new?from=old", http.StatusTemporaryRedirect)
	})
	hook := op.webhook("Moved", there.URL, nil)
	e := op.booking("1")
	d := op.awaitAttempts(e.to(hook), 1)
	if got := d.Attempts[0].Reason; got != "redirect" {
		t.Errorf("reason: got %q, want redirect", got)
	}
	p := op.as(t, operator, pageOptions{})
	p.visit(op.page(d.ID))
	p.sees("Moved redirected to another address (307 Temporary Redirect), which Bookhook does not follow.")
	p.sees("a redirect to " + elsewhere.URL + "/new?from=old. Bookhook does not follow redirects; enter the final address")
	if n := elsewhere.waiting(); n != 0 {
		t.Errorf("the other address got %d requests, want none", n)
	}
}

// The guard is in the dialer, so it also applies to a webhook that was created when its address was still allowed.
func TestPrivateAddressIsNotCalled(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	in := receiver(t)
	hook := op.webhook("Inside", in.URL, nil)
	op.args = op.args[:len(op.args)-2] // without --allow-private-targets
	op.restart()
	e := op.booking("1")
	d := op.awaitAttempts(e.to(hook), 1)
	if got := d.Attempts[0].Reason; got != "blocked" {
		t.Errorf("reason: got %q, want blocked", got)
	}
	p := op.as(t, operator, pageOptions{})
	p.visit(op.page(d.ID))
	p.sees("The URL leads to a private or reserved network address, which Bookhook does not call.")
	p.sees("Bookhook does not call 127.0.0.1: it is ")
	p.sees("ask the person who runs this Bookhook to allow it.")
	p.sees("No response.")
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
	t.Parallel()
	op := newShop(t)
	in := receiver(t)
	hook := op.webhook("Talkative", in.URL, nil)
	answer := func(booking, text string) string {
		in.answerWith(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTeapot)
			io.WriteString(w, text) //nolint:errcheck // the test sees it
		})
		id := op.booking(booking).to(hook)
		op.awaitAttempts(id, 1)
		return op.page(id)
	}
	long := answer("1", "begins "+strings.Repeat("é", 100_000)+" ends")
	odd := answer("2", "\xff\x00ab")
	p := op.as(t, operator, pageOptions{})
	p.visit(long)
	p.sees("418 I'm a teapot")
	p.seesMatch("Bookhook keeps the first 64 [Kk]i?B of a response; there was more")
	p.has("#response-1", "begins éééé")
	p.visit(odd)
	p.has("#response-1", "ff 00 61 62")
}
