package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/playwright-community/playwright-go"
)

// front is a proxy before Bookhook, which counts the streams that are open.
type front struct {
	t       testing.TB
	URL     string
	streams atomic.Int32
}

func (o *shop) front(t testing.TB) *front {
	t.Helper()
	target, err := url.Parse(o.URL)
	must(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.FlushInterval = -1
	f := &front{t: t}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/live" {
			f.streams.Add(1)
			defer f.streams.Add(-1)
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	f.URL = srv.URL
	return f
}

// has waits until so many streams are open.
func (f *front) has(n int32) {
	f.t.Helper()
	eventually(f.t, "the browser has another number of streams", func() bool { return f.streams.Load() == n })
}

// hides makes the tab one that is hidden, or shows it again, as far as its scripts know.
func (p *page) hides(hidden bool) {
	p.t.Helper()
	_, err := p.Evaluate(`(hidden) => {
		Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
		document.dispatchEvent(new Event("visibilitychange"));
	}`, hidden)
	must(p.t, err)
}

// stays marks the page; the returned function ends the test if it was loaded again since.
func (p *page) stays() (stayed func()) {
	p.t.Helper()
	_, err := p.Evaluate(`window.stays = true`)
	must(p.t, err)
	return func() {
		p.t.Helper()
		if got, err := p.Evaluate(`window.stays`); got != true {
			p.t.Errorf("the page was loaded again (%v, %v)", got, err)
		}
	}
}

// place is where an element is on the page.
func (p *page) place(selector string) playwright.Rect {
	p.t.Helper()
	box, err := p.Locator(selector).First().BoundingBox()
	must(p.t, err)
	return *box
}

const announced = "[data-news] button"

// TestLiveTabs: all tabs of a browser follow by one stream, which is closed while all
// are hidden; who is shown again sees what happened meanwhile.
func TestLiveTabs(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	hook := op.webhook("Accounting", receiver(t).URL, nil)
	op.await(op.booking("1").to(hook), "delivered")
	f := op.front(t)
	p := newPage(t, pageOptions{})
	p.signIn(f.URL, operator, password)
	other := p.newTab()
	for _, tab := range []*page{p, other} {
		tab.visit(f.URL + "/deliveries")
		tab.lists(1)
	}
	f.has(1)
	op.booking("2")
	p.has(announced, "1 new delivery – show")
	other.has(announced, "1 new delivery – show")
	p.hides(true) // the one that listens
	op.booking("3")
	other.has(announced, "2 new deliveries – show")
	f.has(1)
	p.has(announced, "1 new delivery – show")
	other.hides(true)
	f.has(0)
	op.booking("4")
	p.hides(false)
	p.has(announced, "3 new deliveries – show")
	f.has(1)
}

// TestLiveList: new rows of a filtered list announce themselves, the others change in
// place, and nothing moves or loses its tick or the focus.
func TestLiveList(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]pageOptions{"desktop": {}, "dark phone": {Dark: true, Phone: true}} {
		t.Run(name, func(t *testing.T) {
			op := newShop(t)
			in := receiver(t)
			release := in.holds()
			hook := op.webhook("Accounting", in.URL, map[string]any{"events": []string{"cancelled"}})
			other := op.webhook("Vouchers", receiver(t).URL, map[string]any{"events": []string{"redeem_voucher"}})
			first := op.booking("first").to(hook)
			p := op.as(t, operator, o)
			p.visit(op.URL + "/deliveries?webhook_id=" + hook.ID)
			p.has("tbody tr", "Sending")
			stayed := p.stays()
			box := p.Locator("tbody input")
			must(t, box.Check())
			must(t, p.Locator("tbody .whole").Focus())
			before := p.place("tbody tr")

			op.await(op.event(map[string]any{"type": "redeem_voucher", "booking_id": "2"}).to(other), "delivered")
			op.booking("second")
			p.has(announced, "1 new delivery – show")
			op.booking("third")
			p.has(announced, "2 new deliveries – show")
			release()
			op.await(first, "delivered")
			p.has("tbody tr", "Delivered")
			p.lists(1, "first")
			if after := p.place("tbody tr"); after != before {
				t.Errorf("the row moved from %v to %v", before, after)
			}
			must(t, expect.Locator(box).ToBeChecked())
			must(t, expect.Locator(p.Locator("tbody .whole")).ToBeFocused())
			must(t, expect.Locator(p.Locator("[data-news]")).ToHaveRole("status"))
			axe(t, p)
			screenshot(t, p, "live-"+name)

			must(t, p.Locator(announced).Click())
			p.lists(3)
			p.has("tbody tr:first-child", "third")
			p.has("tbody tr:nth-child(2)", "second")
			p.has("tbody tr.until", "first")
			must(t, expect.Locator(p.Locator("tbody tr:first-child .whole")).ToBeFocused())
			must(t, expect.Locator(p.Locator("tbody tr.until input")).ToBeChecked())
			must(t, expect.Locator(p.Locator(announced)).ToHaveCount(0))
			p.sees("Send 1 again…")
			axe(t, p)
			stayed()
		})
	}
}

// TestLiveDelivery: the page of a delivery follows to the result of "Retry now".
func TestLiveDelivery(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	in := receiver(t)
	in.answers(http.StatusInternalServerError)
	hook := op.webhook("Accounting", in.URL, nil)
	id := op.booking("1").to(hook)
	op.awaitAttempts(id, 1)
	release := in.holds()
	p := op.as(t, operator, pageOptions{})
	p.visit(op.page(id))
	p.press("Retry now") // waits for the result in vain
	p.has("#story", "Sending")
	must(t, expect.Locator(p.Locator("#attempt-2")).ToContainText("in progress"))
	must(t, p.Locator("#attempt-1 > summary").Click()) // opened by hand
	stayed := p.stays()
	release()
	p.has("#story", "Delivered")
	p.has("#attempt-2", "200 OK")
	must(t, expect.Locator(p.Locator("#attempt-2[open]")).ToHaveCount(1))
	p.has(`[data-live="actions"]`, "Replay")
	must(t, expect.Locator(p.Locator("#attempt-1[open]")).ToHaveCount(1))
	axe(t, p)
	stayed()
}

// TestLiveReplay: the bar and the numbers of a replay move while it runs.
func TestLiveReplay(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	in, _ := outage(t, op, 3)
	release := in.holds()
	p := op.as(t, operator, pageOptions{})
	p.visit(op.URL + "/deliveries?state=failed")
	p.press("Send these again…")
	p.press("Send 3 deliveries")
	p.seesMatch(`[1-3] of 3 sent: 0 delivered, 0 failed`)
	stayed := p.stays()
	release()
	p.sees("3 of 3 sent: 3 delivered, 0 failed")
	must(t, expect.Locator(p.Locator("progress[value='3']")).ToHaveCount(1))
	p.has("#progress", "Done")
	p.lists(3, "Delivered")
	axe(t, p)
	stayed()
	p.visit(op.URL + "/replays")
	p.lists(1, "Done")
}

// TestLiveWebhook: a webhook's page follows its health and its log, and leaves alone
// what a person does on it.
func TestLiveWebhook(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	in := receiver(t)
	hook := op.webhook("Accounting", in.URL, nil)
	p := op.as(t, operator, pageOptions{})
	p.visit(op.page(hook.ID))
	p.sees("Waiting for the first delivery")
	stayed := p.stays()
	op.booking("1")
	p.lists(1, "1", "Delivered")
	p.has(`[data-live="state"]`, "Healthy")
	in.answers(http.StatusInternalServerError)
	var last string
	for i := range 10 {
		last = op.booking(fmt.Sprint(2 + i)).to(hook)
	}
	p.has(`[data-live="state"]`, "Paused")
	p.seesMatch(`^Paused after 1\d failures in a row\.`) // on a slow machine one is attempted again before
	p.has(`[data-live="problems"]`, "10 deliveries waiting")
	p.has(announced, "10 new deliveries – show")
	axe(t, p)
	stayed()
	list := p.newTab()
	list.visit(op.URL + "/webhooks")
	list.lists(1, "Paused")
	in.answers(http.StatusOK)
	op.ask("POST", "/deliveries/"+last+"/replay", nil).want(t, http.StatusAccepted, nil)
	list.lists(1, "Healthy")
	p.has(`[data-live="state"]`, "Healthy")
}

// TestLivePause: a switch stops all of it, and the browser remembers.
func TestLivePause(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	hook := op.webhook("Accounting", receiver(t).URL, nil)
	f := op.front(t)
	p := newPage(t, pageOptions{})
	p.signIn(f.URL, operator, password)
	p.visit(f.URL + "/deliveries")
	f.has(1)
	toggle := p.named("button", "Live updates")
	must(t, expect.Locator(toggle).ToHaveAttribute("aria-pressed", "true"))
	p.press("Live updates")
	f.has(0)
	p.reload()
	must(t, expect.Locator(toggle).ToHaveAttribute("aria-pressed", "false"))
	axe(t, p)
	op.await(op.booking("1").to(hook), "delivered")
	p.visit(f.URL + "/deliveries")
	p.lists(1)
	op.await(op.booking("2").to(hook), "delivered")
	if n := f.streams.Load(); n != 0 {
		t.Errorf("%d streams while it is paused", n)
	}
	must(t, expect.Locator(p.Locator(announced)).ToHaveCount(0))
	p.press("Live updates")
	p.has(announced, "1 new delivery – show")
	f.has(1)
}

// TestLiveOtherAccount: a page of one account takes nothing of another, to which somebody
// signed in in another tab: it is loaded again.
func TestLiveOtherAccount(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	hook := op.webhook("Accounting", receiver(t).URL, nil)
	op.await(op.booking("1").to(hook), "delivered")
	op.addAccount("Other Tours", "eve@example.com")
	p := op.as(t, operator, pageOptions{})
	p.visit(op.URL + "/deliveries")
	p.lists(1)
	p.hides(true)
	p.signIn(op.URL, "eve@example.com", password)
	p.hides(false)
	p.has(".account strong", "Other Tours")
	p.sees("No deliveries yet")
}

// TestLiveWithoutStream: a page asks every ten seconds then.
func TestLiveWithoutStream(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	hook := op.webhook("Accounting", receiver(t).URL, nil)
	op.await(op.booking("1").to(hook), "delivered")
	p := op.as(t, operator, pageOptions{})
	must(t, p.Route("**/live", func(r playwright.Route) { must(t, r.Abort()) }))
	must(t, p.Clock().Install())
	refused := make(chan struct{}, 100)
	p.OnRequestFailed(func(playwright.Request) { refused <- struct{}{} })
	p.visit(op.URL + "/deliveries")
	p.lists(1)
	<-refused
	op.await(op.booking("2").to(hook), "delivered")
	must(t, p.Clock().FastForward(10_000))
	p.has(announced, "1 new delivery – show")
	op.await(op.booking("3").to(hook), "delivered")
	must(t, p.Clock().FastForward(10_000))
	must(t, p.Clock().FastForward(10_000))
	p.has(announced, "2 new deliveries – show")
}
