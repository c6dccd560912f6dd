package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// verdict is the answer to a question.
type verdict struct {
	ID, Reason, Error, Text string
	Accepted                bool
	Status                  int
	Webhook                 string `json:"webhook_id"`
	Delivery                string `json:"delivery_id"`
	Tickets                 json.RawMessage
	Skipped                 []map[string]string
}

// question asks before a booking on this channel is confirmed.
func (o *shop) question(id, channel, booking string) (v verdict) {
	o.t.Helper()
	o.ask("POST", "/inline", map[string]any{
		"id": id, "type": "new_temporary_web", "channel_id": channel, "booking_id": booking,
		"xml": "<response><booking><booking_id>" + booking + "</booking_id><channel_id>" + channel + "</channel_id>" +
			"<account_id>4069</account_id><status>2</status><note>Bœuf &amp; more</note></booking></response>",
	}).want(o.t, http.StatusOK, &v)
	return v
}

// accepts answers with text and tickets, as JSON.
func (in *inbox) accepts() {
	in.answerWith(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"text":"Held for 15 minutes","tickets":[{"value":"00123"}]}`)
	})
}

// isSigned checks the signed block of a question, as the vendor's wrapper does
// it: the values at the paths of hash_fields, relative to the root.
func isSigned(t testing.TB, body []byte, key string) {
	t.Helper()
	var doc struct {
		Booking struct {
			Booking string `xml:"booking_id"`
			Channel string `xml:"channel_id"`
			Account string `xml:"account_id"`
			Status  string `xml:"status"`
			Note    string `xml:"note"`
		} `xml:"booking"`
		Signed struct {
			Algorithm string `xml:"algorithm"`
			Fields    string `xml:"hash_fields"`
			Hash      string `xml:"hash"`
		} `xml:"signed"`
	}
	must(t, xml.Unmarshal(body, &doc))
	at := map[string]string{
		"booking/booking_id": doc.Booking.Booking, "booking/channel_id": doc.Booking.Channel,
		"booking/account_id": doc.Booking.Account, "booking/status": doc.Booking.Status,
	}
	var values []string
	for _, path := range strings.Split(doc.Signed.Fields, " ") {
		value, ok := at[path]
		if !ok {
			t.Fatalf("hash_fields: got %q, which this test does not know", path)
		}
		values = append(values, value)
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(strings.Join(values, "|")))
	if want := hex.EncodeToString(mac.Sum(nil)); doc.Signed.Hash != want || doc.Signed.Algorithm != "SHA256" || doc.Booking.Note != "Bœuf & more" {
		t.Errorf("got %s, want it signed with %s", body, want)
	}
}

func TestInlineWebhook(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	op.items("channels", "3930 Website", "7 Viator")
	in := receiver(t)
	p := op.as(t, operator, pageOptions{})
	key := p.createsInline(op.URL, in)

	yes, no := op.asks(in, key)
	p.visit(op.page(yes.Delivery))
	p.sees("Gate accepted the booking")
	p.sees("Held for 15 minutes")
	p.sees("00123")
	must(t, expect.Locator(p.named("button", "Replay")).ToHaveCount(0))
	p.looks()
	p.visit(op.page(no.Delivery))
	p.sees("Gate refused the booking")
	p.sees("Gate answered 409 Conflict.")
	must(t, expect.Locator(p.named("button", "Replay")).ToHaveCount(0))
	p.visit(op.URL + "/deliveries")
	p.lists(1, "Gate", "Accepted")
	p.lists(1, "Gate", "Refused")
	p.selects("Status", "Failed or refused")
	p.press("Filter")
	p.lists(1, "Gate")
	p.visit(op.URL + "/webhooks")
	p.lists(1, "Gate", "Refused")
}

// createsInline makes a synchronous webhook for the Website channel in the wizard,
// and returns its secret.
func (p *page) createsInline(site string, in *inbox) (key string) {
	t := p.t
	t.Helper()
	p.visit(site + "/webhooks")
	p.press("Create new booking webhook")
	p.choose("Synchronous (inline) webhook")
	p.opens("Advanced")
	p.lacks("Requests at once")
	p.fill("Time limit in seconds", "12")
	p.looks()
	p.goesOn("name")
	p.fill("Name", "Gate")
	p.fill("URL", in.URL+"/ask")
	p.opens("View the request that the receiver gets")
	p.sees("POST " + in.URL + "/ask?event=")
	p.sees("<signed>")
	p.goesOn("events")
	p.evaluate(`document.querySelectorAll("main details:not(.ask)").forEach((part) => part.open = true)`)
	p.choose("Temporary booking started (web/API)")
	p.goesOn("channels")
	p.choose("Only selected channels")
	p.choose("Website")
	p.goesOn("tours")
	p.goesOn("review")
	p.says("Before a booking is started (web/API) or is confirmed, on the Website channel, for any tour, ask " + in.URL + "/ask; no 200 within 12 seconds is a refusal.")
	in.accepts()
	p.press("Send a test")
	p.sees("Gate accepted the test booking")
	p.sees("Held for 15 minutes")
	in.delivery(t)
	p.looks()
	p.press("Create webhook")
	p.isAt("/webhooks/whk_")
	key = p.text("#secret")
	p.looks()
	p.press("I have stored it")
	p.sees("Has 12 seconds to answer; one attempt only")
	p.looks()
	return key
}

// asks asks about a booking that is accepted, and one that is refused.
func (o *shop) asks(in *inbox, key string) (yes, no verdict) {
	t := o.t
	t.Helper()
	yes = o.question("q-1", "3930", "1234")
	if !yes.Accepted || yes.Status != 200 || yes.Text != "Held for 15 minutes" || string(yes.Tickets) != `[{"value":"00123"}]` {
		t.Errorf("got %+v, want it accepted with what the receiver said", yes)
	}
	got := in.next(t)
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	if got.Method != "POST" || got.URL != "/ask?event=new_temporary_web&account_id=4069&account_name=Tallinn%20%26%20Tartu%20Tours&channel_id=3930&booking_id=1234" ||
		!uuid.MatchString(got.Header.Get("X-Request-Id")) || got.Header.Get("Webhook-Id") != yes.Delivery {
		t.Errorf("got %s %s %v", got.Method, got.URL, got.Header)
	}
	isSigned(t, got.Body, key)
	if again := o.question("q-1", "3930", "1234"); !again.Accepted || again.Delivery != yes.Delivery || in.waiting() != 0 {
		t.Errorf("got %+v, want the first answer and no second question", again)
	}
	in.answers(http.StatusConflict)
	no = o.question("q-2", "3930", "1235")
	if no.Accepted || no.Status != 409 || no.Reason != "status" || no.Error == "" {
		t.Errorf("got %+v, want it refused", no)
	}
	if other := o.question("", "7", "1236"); !other.Accepted || other.Webhook != "" || other.Skipped[0]["reason"] != "channel_not_selected" {
		t.Errorf("got %+v, want that nobody was asked", other)
	}
	return yes, no
}

func TestInlineChannelsClashKindly(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	op.items("channels", "3930 Website", "7 Viator")
	op.ask("POST", "/webhooks", map[string]any{
		"name": "First gate", "type": "inline", "url": "https://example.com/", "events": []string{"new_temporary_web"},
		"channels": map[string]any{"mode": "include", "ids": []string{"3930"}}, "enabled": false,
	}).want(t, http.StatusCreated, nil)
	p := op.as(t, operator, pageOptions{})
	p.visit(op.URL + "/webhooks")
	p.sees("Synchronous, 10 seconds")
	p.looks()
	p.press("Create new booking webhook")
	p.choose("Synchronous (inline) webhook")
	p.goesOn("name")
	p.fill("Name", "Second gate")
	p.fill("URL", "https://example.com/second")
	p.goesOn("events")
	p.goesOn("channels")
	p.refused("Continue")
	p.sees("The webhook “First gate” is for the channel Website (3930), and a channel has one")
	p.looks()
	p.choose("Only selected channels")
	p.choose("Viator")
	p.goesOn("tours")
	p.goesOn("review")
	p.press("Create webhook")
	p.sees("“Second gate” is on and is asked about bookings from now on.")
}
