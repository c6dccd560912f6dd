package e2e

import (
	"net/http"
	"testing"
)

// smallControls names what a finger is to hit on a phone and is less than 40 px high.
const smallControls = `[...document.querySelectorAll("button, .button, summary, select, input:not([type=hidden], [type=radio], [type=checkbox]), .preset, .tick label")]
	.filter((e) => e.checkVisibility() && !e.matches(".hidden, .follow") && e.getBoundingClientRect().height < 39.5).map((e) => e.outerHTML.slice(0, 120)).join("\n")`

// On a phone controls are large enough for a finger, all pages begin at the same edge,
// and tabs are one line that scrolls.
func TestPhone(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	in := receiver(t)
	in.answers(http.StatusInternalServerError)
	hook := op.webhook("Accounting", in.URL, nil)
	id := op.booking("100").to(hook)
	op.awaitAttempts(id, 1)
	p := op.as(t, operator, pageOptions{Phone: true})
	for _, path := range []string{
		"/", "/deliveries", "/deliveries/" + id, "/events", "/bookings/100", "/webhooks", "/webhooks/" + hook.ID, "/webhooks/" + hook.ID + "/signing",
		"/replays", "/stats", "/channels", "/settings", "/settings/people", "/settings/tokens", "/settings/notices", "/reconcile",
	} {
		p.visit(op.URL + path)
		if small := p.evaluate(smallControls).(string); small != "" {
			t.Errorf("%s: too small for a finger:\n%s", path, small)
		}
		if left := number(p.evaluate(`document.querySelector("h1").getBoundingClientRect().left`)); left != 16 {
			t.Errorf("%s: the page begins at %v px, want 16", path, left)
		}
		p.fits()
	}
	p.visit(op.URL + "/settings/activity")
	if got := number(p.evaluate(`document.querySelector(".tabs ul").getBoundingClientRect().height`)); got > 44 {
		t.Errorf("tabs are %v px high, want one line", got)
	}
	if shown := p.evaluate(`(() => {
		const box = document.querySelector(".tabs [aria-current]").getBoundingClientRect();
		return box.left >= 0 && box.right <= innerWidth;
	})()`).(bool); !shown {
		t.Error("the tab of the page is out of view")
	}
}
