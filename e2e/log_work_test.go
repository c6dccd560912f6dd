package e2e

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/playwright-community/playwright-go"
)

// busyLog is a log of two webhooks, of which one refuses with a message; that webhook, and the deliveries waiting for it.
func busyLog(t *testing.T) (op *shop, portal target, waiting []string) {
	op = newShop(t)
	op.items("channels", "3930 Website")
	op.items("tours", "12 Old Town on Foot", "15 Night Walk")
	well, down := receiver(t), receiver(t)
	down.answerWith(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"message":"The night audit has locked this booking, try again after six o’clock in the morning"}`)
	})
	books := op.webhook("Accounting of all our tours and channels", well.URL, nil)
	portal = op.webhook("Partner portal", down.URL, map[string]any{"events": []string{"cancelled"}})
	for i := range 12 {
		e := op.event(map[string]any{"type": []string{"cancelled", "new_confirmed_web"}[i%2], "booking_id": fmt.Sprint(700 + i), "channel_id": "3930", "tour_ids": []string{"12"}})
		op.await(e.to(books), "delivered")
		if i%2 == 0 {
			op.awaitAttempts(e.to(portal), 1)
			waiting = append(waiting, e.to(portal))
		}
	}
	return op, portal, waiting
}

// A row is one line of about 44 px, and two lines on a phone; nothing scrolls sideways.
func TestLogIsDense(t *testing.T) {
	t.Parallel()
	op, portal, _ := busyLog(t)
	heights := `Math.max(...[...document.querySelectorAll(".log tbody tr")].map((row) => row.getBoundingClientRect().height))`
	p := op.as(t, operator, pageOptions{})
	for _, path := range []string{"/deliveries", "/events", "/webhooks/" + portal.ID, "/webhooks/" + portal.ID + "/deliveries"} {
		p.visit(op.URL + path)
		if got := number(p.evaluate(heights)); got > 48 || got < 36 {
			t.Errorf("%s: a row is %v px high, want about 44", path, got)
		}
		if lines := number(p.evaluate(`Math.max(...[...document.querySelectorAll(".log tbody td")].map((cell) => cell.clientHeight))`)); lines > 48 {
			t.Errorf("%s: a cell has more than one line (%v px)", path, lines)
		}
		p.looks()
	}
	p.visit(op.URL + "/deliveries?webhook_id=" + portal.ID)
	p.lists(6, "The night audit has locked this booking")
	phone := op.as(t, operator, pageOptions{Phone: true})
	for _, path := range []string{"/deliveries", "/events", "/webhooks/" + portal.ID, "/webhooks/" + portal.ID + "/deliveries"} {
		phone.visit(op.URL + path)
		if got := number(phone.evaluate(heights)); got > 72 || got < 48 {
			t.Errorf("%s, phone: a row is %v px high, want two lines", path, got)
		}
		phone.fits()
	}
}

// number is one that a script returned.
func number(value any) float64 {
	if n, ok := value.(int); ok {
		return float64(n)
	}
	n, _ := value.(float64)
	return n
}

// hits presses the keys once the page has its scripts.
func (p *page) hits(keys ...string) {
	p.t.Helper()
	_, err := p.WaitForFunction(`document.readyState === "complete"`, nil)
	must(p.t, err)
	p.key(keys...)
}

func TestLogByKeys(t *testing.T) {
	t.Parallel()
	op, portal, waiting := busyLog(t)
	for _, id := range waiting {
		op.awaitAttempts(id, 2) // the next ones, after a minute, do not come between
	}
	p := op.as(t, operator, pageOptions{})
	p.visit(op.URL + "/webhooks")
	p.hits("g", "d")
	p.isAt("/deliveries$")
	p.visit(op.URL + "/deliveries?webhook_id=" + portal.ID)
	for _, step := range []struct{ key, row string }{{"j", "710"}, {"j", "708"}, {"j", "706"}, {"k", "708"}, {"k", "710"}, {"k", "710"}} {
		p.hits(step.key)
		if got := p.evaluate(`document.activeElement.closest("tr").querySelector(".ref").innerText`); got != step.row {
			t.Errorf("after %s: the row of %v has the focus, want %s", step.key, got, step.row)
		}
	}
	if p.evaluate(`document.activeElement.matches(":focus-visible")`) != true {
		t.Error("the focus cannot be seen")
	}
	p.hits("j", "Enter")
	p.sees("booking 708")
	p.hits("j")
	p.sees("booking 706")
	p.hits("k")
	p.sees("booking 708")
	p.hits("k")
	p.sees("booking 710")
	p.hits("r") // sends it again
	p.isAt(`/deliveries/dlv_\w+\?webhook_id=` + portal.ID + "$")
	p.has(".flash", "answered")

	p.visit(op.URL + "/deliveries?webhook_id=" + portal.ID)
	p.hits("j", "j", "r")
	p.isAt(`/deliveries/dlv_\w+\?webhook_id=` + portal.ID + "$")
	p.sees("booking 708")

	p.visit(op.URL + "/deliveries")
	p.hits("?")
	p.sees("Go to Booking webhooks")
	axe(t, p)
	p.hits("Escape")
	must(t, expect.Locator(p.Locator("#keys")).Not().ToBeVisible())
	must(t, p.labelled("Booking").Focus())
	p.hits("j", "?", "g", "e")
	must(t, expect.Locator(p.labelled("Booking")).ToHaveValue("j?ge"))
	p.hits("Escape")
	p.press("Keyboard shortcuts ?")
	must(t, p.labelled("Use them in this browser").Uncheck())
	p.press("Close")
	p.reload()
	p.hits("g", "e", "?")
	p.isAt("/deliveries$")
	must(t, expect.Locator(p.Locator("#keys")).Not().ToBeVisible())
}

// Without JavaScript: presets, a saved view that survives signing out, the way through a filter and back.
func TestLogWithoutJavaScript(t *testing.T) {
	t.Parallel()
	op, portal, _ := busyLog(t)
	p := op.as(t, operator, pageOptions{NoScript: true})
	p.visit(op.URL + "/deliveries")
	p.selects("Webhook", "Partner portal")
	p.press("Filter")
	p.isAt(`/deliveries\?webhook_id=` + portal.ID + "$") // nothing empty
	p.follow("Today")
	p.isAt("period=today")
	p.lists(6)
	p.opens("Save view")
	p.fill("Name of the view", "Portal today")
	p.press("Save view")
	p.sees("“Portal today” was saved.")
	p.press("Sign out")
	p.isAt("/login")
	again := op.as(t, operator, pageOptions{NoScript: true})
	again.visit(op.URL + "/deliveries")
	again.follow("Portal today")
	again.lists(6)
	again.opensRow("708")
	again.sees("booking 708")
	again.follow("Next")
	again.sees("booking 706")
	again.follow("Previous")
	again.sees("booking 708")
	must(t, again.Locator(".crumbs a").Click())
	again.isAt("period=today&webhook_id=" + portal.ID + "$")
	again.opens("Delete view")
	again.press("Delete this view")
	again.sees("The saved view “Portal today” was deleted.")
	again.visit(op.URL + "/deliveries?since=2026-11-21T10:00&until=2026-11-21T09:59")
	again.sees("This is before the time in From.")
	again.press("Keyboard shortcuts ?")
	again.sees("Go to Booking webhooks")
	again.visit(op.URL + "/events")
	again.selects("Sent to", "Nobody")
	again.press("Filter")
	again.sees("No event matches")
	again.selects("Sent to", "A webhook")
	again.selects("Tour", "Old Town on Foot")
	again.selects("Channel", "Website")
	again.press("Filter")
	again.lists(12)
}

// An export is downloaded by a browser, and read by another program.
func TestLogExport(t *testing.T) {
	t.Parallel()
	op, portal, _ := busyLog(t)
	p := op.as(t, operator, pageOptions{})
	p.visit(op.URL + "/deliveries?webhook_id=" + portal.ID)
	download, err := p.ExpectDownload(func() error {
		return p.named("link", "Export as CSV").Click(playwright.LocatorClickOptions{Timeout: limit})
	})
	must(t, err)
	if name := download.SuggestedFilename(); !strings.HasPrefix(name, "deliveries-20") || !strings.HasSuffix(name, ".csv") {
		t.Errorf("got the name %s", name)
	}
	path, err := download.Path()
	must(t, err)
	text, err := os.ReadFile(path)
	must(t, err)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(text), "\ufeff"))).ReadAll()
	must(t, err)
	if len(rows) != 7 || rows[1][2] != "710" || rows[1][6] != "Partner portal" || rows[1][9] != "404" {
		t.Errorf("got %q", rows)
	}
	answer := op.ask("GET", "/deliveries.csv?webhook_id="+portal.ID, nil)
	answer.want(t, http.StatusOK, nil)
	rows, err = csv.NewReader(strings.NewReader(string(answer.Body))).ReadAll()
	if err != nil || len(rows) != 7 || rows[0][0] != "id" {
		t.Errorf("got %q, %v", rows, err)
	}
}
