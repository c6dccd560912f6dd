package views

import (
	"bytes"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"bookhook/webhook"
)

// The bodies that become longest as text of a page: quotes are escaped, brackets are
// indented, and what is no text is shown in hexadecimal.
var worstBodies = map[string]func(n int) []byte{
	"quotes":   func(n int) []byte { return bytes.Repeat([]byte(`"`), n) },
	"strings":  func(n int) []byte { return []byte("[" + strings.Repeat(`"",`, n/3-1) + `""]`) },
	"brackets": func(n int) []byte { return []byte(strings.Repeat("[", n/2) + strings.Repeat("]", n/2)) },
	"no text":  func(n int) []byte { return bytes.Repeat([]byte{0, 0xff}, n/2) },
}

func sizeOf(t *testing.T, page templ.Component) int {
	t.Helper()
	var out bytes.Buffer
	if err := page.Render(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	return out.Len()
}

// TestWorstPages: whatever was received, a page stays within some megabytes.
func TestWorstPages(t *testing.T) {
	const most = 3 << 20
	k := kinds[0]
	for name, body := range worstBodies {
		delivery := DeliveryProps{Page: Page{Now: now}, Delivery: k.delivery(0)}
		delivery.Delivery.Attempts = 500
		for n := range delivery.Delivery.Attempts {
			a := k.attempt(n+1, webhook.Outcome{Status: 500, Failure: webhook.FailStatus})
			a.ResponseBody, a.RequestBody = body(webhook.MaxStoredBody), body(webhook.MaxStoredBody)
			if n%2 == 0 {
				a.RequestBody = body(webhook.MaxStoredBody * 2)
			}
			delivery.Attempts = append(delivery.Attempts, a)
		}
		rejected := RejectedProps{Page: Page{Now: now}, Count: 1000}
		for i := range 20 {
			rejected.Rows = append(rejected.Rows, RejectedRow{RejectedRequest: webhook.RejectedRequest{
				ID: webhook.RejectedID(7e16 + i), Method: "POST", Query: string(body(16 << 10)), Body: body(webhook.MaxRejectedBody),
			}})
		}
		one := RejectedProps{Page: Page{Now: now}, Rows: []RejectedRow{rejected.Rows[0]}}
		one.Rows[0].Whole = true
		event := EventProps{Page: Page{Now: now}, Event: webhook.Event{Data: body(4 << 20), Wire: body(4 << 20)}}
		for page, c := range map[string]templ.Component{
			"delivery": Delivery(delivery), "rejected": RejectedRequests(rejected), "one rejected": RejectedRequests(one), "event": Event(event),
		} {
			got := sizeOf(t, c)
			t.Logf("%s of %s: %d KiB", page, name, got>>10)
			if got > most {
				t.Errorf("%s of %s: got %d KiB, want at most %d", page, name, got>>10, most>>10)
			}
		}
	}
}

// TestOpenAttempt: an attempt that does not fit into the page is there with its bodies
// when it is asked for, and so is one that is not among the newest.
func TestOpenAttempt(t *testing.T) {
	k := kinds[0]
	p := DeliveryProps{Page: Page{Now: now}, Delivery: k.delivery(0)}
	p.Delivery.Attempts = 300
	for n := range p.Delivery.Attempts {
		a := k.attempt(n+1, webhook.Outcome{Status: 500, Failure: webhook.FailStatus})
		a.ResponseBody = append([]byte("the answer to attempt "+string(rune('a'+n%26))+" "), bytes.Repeat([]byte("x"), 40_000)...)
		p.Attempts = append(p.Attempts, a)
	}
	show := func() string {
		var out strings.Builder
		if err := Delivery(p).Render(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	page := show()
	if n := strings.Count(page, "the answer to attempt"); n != 3 {
		t.Errorf("got %d responses, want the three that fit", n)
	}
	if !strings.Contains(page, "?attempt=290#attempt-290") || strings.Contains(page, `id="attempt-7"`) || !strings.Contains(page, "attempts 201 to 300 of 300") {
		t.Error("the page does not lead to attempt 290, or shows too many")
	}
	if !strings.Contains(page, "?attempt=200#attempt-200") || strings.Contains(page, "Newest attempts") {
		t.Error("the page does not lead to older attempts")
	}
	p.Open, p.Last, p.Attempts = 7, 7, p.Attempts[:7]
	if page = show(); !strings.Contains(page, `id="response-7"`) || !strings.Contains(page, "the answer to attempt g") {
		t.Error("attempt 7 is not shown with its response")
	}
	if !strings.Contains(page, "attempts 1 to 7 of 300") || !strings.Contains(page, "Newest attempts") || strings.Contains(page, `id="attempt-8"`) {
		t.Error("the page does not lead back to the newest, or shows later ones")
	}
}
