package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/playwright-community/playwright-go"
)

// outage leaves so many failed deliveries of as many bookings behind. Its receiver sends
// each back as a loop, which Bookhook gives up at once, as it does anything else after
// three days; then it answers again.
func outage(t testing.TB, op *shop, n int) (in *inbox, hook target) {
	t.Helper()
	in = receiver(t)
	in.answerWith(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Bookhook-Loop", "true")
		w.WriteHeader(http.StatusLoopDetected)
	})
	hook = op.webhook("Accounting", in.URL, nil)
	var events []any
	for i := range n {
		events = append(events, map[string]any{"type": "new_confirmed_web", "channel_id": "3930", "booking_id": fmt.Sprint("B", i)})
	}
	op.ask("POST", "/events/batch", map[string]any{"events": events}).want(t, http.StatusAccepted, nil)
	for range n {
		in.next(t)
	}
	op.awaitCount(t, "state=failed", n)
	in.answers(http.StatusOK)
	return in, hook
}

// awaitCount waits until there are so many deliveries of a filter.
func (o *shop) awaitCount(t testing.TB, filter string, n int) {
	t.Helper()
	eventually(t, fmt.Sprint(n, " deliveries with ", filter), func() bool {
		found, cursor := 0, ""
		for {
			var page struct {
				Items []struct{ ID string }
				Next  string `json:"next_cursor"`
			}
			o.ask("GET", "/deliveries?limit=200&"+filter+"&cursor="+cursor, nil).want(t, http.StatusOK, &page)
			found += len(page.Items)
			if cursor = page.Next; cursor == "" {
				return found == n
			}
		}
	})
}

// clicker counts the clicks of a person.
type clicker struct {
	*page
	clicks int
}

func (c *clicker) click(role, name string) {
	c.t.Helper()
	c.clicks++
	must(c.t, c.named(role, name).Click())
}

// TestOutageIsPutRight: 300 failed deliveries are sent again in at most five clicks,
// with and without JavaScript, also on a phone.
func TestOutageIsPutRight(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]pageOptions{"desktop": {}, "phone": {Phone: true}, "no script": {NoScript: true}} {
		t.Run(name, func(t *testing.T) {
			op := newShop(t)
			const n = 300
			in, _ := outage(t, op, n)
			c := &clicker{page: op.as(t, operator, o)}
			c.visit(op.URL + "/webhooks") // where a person arrives
			c.clicks++
			must(t, c.Locator("main a", playwright.PageLocatorOptions{HasText: "Accounting"}).First().Click())
			c.clicks++
			must(t, c.Locator("a", playwright.PageLocatorOptions{HasText: "Send everything that failed since"}).Click())
			c.sees("300 deliveries of 300 bookings to 1 webhook, about ")
			if !o.NoScript {
				axe(t, c)
			}
			c.click("button", "Send 300 deliveries")
			c.isAt(`/replays/rpl_\w+$`)
			for range n {
				in.next(t)
			}
			op.awaitCount(t, "state=delivered", n)
			if o.NoScript {
				c.reload()
			}
			c.sees("300 of 300 sent: 300 delivered, 0 failed")
			must(t, expect.Locator(c.Locator("#progress")).ToContainText("Done"))
			if !o.NoScript {
				axe(t, c)
			}
			if c.clicks > 5 {
				t.Errorf("got %d clicks, want at most 5", c.clicks)
			}
			t.Logf("%d clicks", c.clicks)
			c.visit(op.URL + "/replays")
			c.lists(1, "Replay of 300 deliveries", "Done", "300")
			c.visit(op.URL + "/settings/activity")
			c.sees("Started a replay of 300 deliveries.")
		})
	}
}

// TestReplayOptions: options are counted again at once, or by a button without
// JavaScript; a replay waits while its webhook is off, and can be cancelled.
func TestReplayOptions(t *testing.T) {
	t.Parallel()
	for _, noScript := range []bool{false, true} {
		t.Run(fmt.Sprint("no script ", noScript), func(t *testing.T) {
			op := newShop(t)
			_, hook := outage(t, op, 3)
			op.ask("PATCH", "/webhooks/"+hook.ID, map[string]any{"enabled": false}).want(t, http.StatusOK, nil)
			for range 2 { // skipped: the webhook is off
				op.ask("POST", "/events", map[string]any{"type": "new_confirmed_web", "booking_id": "B1"}).want(t, http.StatusAccepted, nil)
			}
			op.addUser(staff, "staff", op.Number)
			p := op.as(t, staff, pageOptions{NoScript: noScript})
			p.visit(op.page(hook.ID))
			p.follow("While it was off: 2 events skipped")
			p.sees("1 delivery of 1 booking to 1 webhook, about 1 second")
			p.sees("1 older one of the same booking left out")
			p.sees("Accounting is off. What it is sent waits until it is switched on.")
			must(t, p.Locator(`input[name="only"]`).Check())
			if noScript {
				p.press("Count again")
			}
			p.sees("2 deliveries of 1 booking to 1 webhook, about 1 second")
			p.press("Send 2 deliveries")
			p.sees("Paused: Accounting is off.")
			p.sees("0 of 2 sent: 0 delivered, 0 failed")
			if !noScript {
				axe(t, p)
				must(t, p.Keyboard().Press("r")) // there is no delivery to be sent again
				must(t, expect.Locator(p.named("button", "Cancel the replay")).ToBeHidden())
			}
			must(t, p.Locator("summary", playwright.PageLocatorOptions{HasText: "Cancel"}).Click())
			p.press("Cancel the replay")
			p.sees("The replay is cancelled. What was sent stays sent.")
			if got := strings.Count(op.replays(t), `"cancelled"`); got != 1 {
				t.Errorf("got %d cancelled replays, want 1", got)
			}
		})
	}
}

func (o *shop) replays(t testing.TB) string {
	t.Helper()
	var page struct{ Items []struct{ State string } }
	o.ask("GET", "/replays", nil).want(t, http.StatusOK, &page)
	states := ""
	for _, r := range page.Items {
		states += `"` + r.State + `"`
	}
	return states
}

// TestTickedRowsAreSentAgain: exactly the ticked rows of a list, by mouse and by keys,
// also without JavaScript and on a phone.
func TestTickedRowsAreSentAgain(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]pageOptions{"desktop": {}, "phone without script": {NoScript: true, Phone: true}} {
		t.Run(name, func(t *testing.T) {
			op := newShop(t)
			in, _ := outage(t, op, 4)
			p := op.as(t, operator, o)
			p.visit(op.URL + "/deliveries?state=failed")
			for _, booking := range []string{"B1", "B3"} {
				must(t, p.Locator("tr", playwright.PageLocatorOptions{HasText: booking}).GetByRole("checkbox").Check())
			}
			if o.NoScript {
				p.press("Send these again…")
			} else {
				axe(t, p)
				p.press("Send 2 again…")
			}
			p.sees("2 deliveries of 2 bookings to 1 webhook")
			p.press("Send 2 deliveries")
			for range 2 {
				if r := in.next(t); !strings.Contains(string(r.Body), `"B1"`) && !strings.Contains(string(r.Body), `"B3"`) {
					t.Errorf("the receiver got %s, which was not ticked", r.Body)
				}
			}
			op.awaitCount(t, "state=delivered", 2)
			op.awaitCount(t, "state=failed", 2)
		})
	}
}
