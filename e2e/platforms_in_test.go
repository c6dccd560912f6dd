package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// tells calls an address as a platform does, and returns the status.
func tells(t testing.TB, address, contentType, body string) int {
	t.Helper()
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	must(t, err)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := caller.Do(request)
	must(t, err)
	must(t, response.Body.Close())
	return response.StatusCode
}

const cancelled = "?event=cancelled&account_id=4069&account_name=Tallinn%20%26%20Tartu%20Tours&channel_id=3930&booking_id="

// What is received at an address is shown on the pages, with its origin, byte for byte.
func TestPlatformsTell(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	in := receiver(t)
	op.webhook("Accounting", in.URL, map[string]any{"format": "native"})
	p := op.as(t, operator, pageOptions{})
	p.visit(op.URL + "/settings/platforms")
	p.sees("On, no call yet")
	p.follow("TourCMS")
	address := p.text("#platform-tourcms-address")
	if got := tells(t, address+cancelled+"1234", "", ""); got != http.StatusOK {
		t.Fatalf("got %d, want 200", got)
	}
	if got := in.next(t).URL; !strings.HasSuffix(got, cancelled[1:]+"1234") {
		t.Errorf("got %s, want what TourCMS sent", got)
	}
	p.reload()
	p.sees("Connected")
	p.sees("Last call just now")

	p.opens("New address for TourCMS")
	p.press("Create a new address for TourCMS")
	p.sees("TourCMS has a new address.")
	if got := tells(t, address+cancelled+"1235", "", ""); got != http.StatusOK {
		t.Errorf("the address before: got %d, want 200", got)
	}
	p.opens("Switch off TourCMS")
	p.press("Switch TourCMS off")
	p.sees("TourCMS is off.")
	if got := tells(t, p.text("#platform-tourcms-address")+cancelled+"1236", "", ""); got != http.StatusOK {
		t.Errorf("while it is off: got %d, want 200", got)
	}

	p.visit(op.URL + "/events")
	p.opensRow("1234")
	p.sees("sent by TourCMS")
	p.hasExactly("#wire-text", cancelled[1:]+"1234")
	p.looks()
	p.visit(op.URL + "/events")
	p.opensRow("1236")
	p.sees("The booking platform is switched off for this account.")
	p.looks()
	p.follow("Settings › Platforms")
	p.isAt("/settings/platforms/tourcms$")
}

// What cannot be read is kept with the reason.
func TestRejectedRequestsAreKept(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	p := a.as(t, operator, pageOptions{})
	p.switchOn(a.URL, "Prioticket")
	address := p.text("#platform-prioticket-address")
	_, token, _ := strings.Cut(address, "/in/prioticket/")
	for _, body := range []string{"\x00\xff", `{"event":`, `{"event":`, "a=1&wide=" + strings.Repeat("wide", 200)} {
		if got := tells(t, address+"?a=1", "text/plain", body); got < 400 {
			t.Errorf("%q: got %d, want a refusal", body, got)
		}
	}
	p.visit(a.URL + "/settings/platforms")
	p.follow("Rejected requests 3")
	p.sees("3 requests")
	p.sees("2 times")
	p.looks()
	must(t, p.Locator("summary").Filter(visible).Last().ScrollIntoViewIfNeeded())
	p.sees("00 ff")
	p.lacks(token)
}
