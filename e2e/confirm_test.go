package e2e

import (
	"net/http"
	"testing"
)

// confirmsInPlace opens each confirmation of the page while its button is at the lower edge of the screen, and checks that
// the box can be seen whole, beside its button.
func (p *page) confirmsInPlace() {
	p.t.Helper()
	boxes := p.Locator("main details.confirm")
	n, err := boxes.Count()
	must(p.t, err)
	if n == 0 {
		p.t.Errorf("%s asks nothing", p.URL())
	}
	for i := range n {
		box := boxes.Nth(i)
		_, err := box.Evaluate("box => box.querySelector('summary').scrollIntoView({block: 'end'})", nil)
		must(p.t, err)
		must(p.t, box.Locator("summary").Click())
		must(p.t, expect.Locator(box.Locator(".confirm-box")).ToBeVisible())
		got, err := box.Evaluate(`box => {
			const button = box.querySelector("summary").getBoundingClientRect(), asks = box.querySelector(".confirm-box").getBoundingClientRect();
			if (asks.top < 0 || asks.left < 0 || asks.bottom > innerHeight + 1 || asks.right > innerWidth + 1) return "it is not on the screen";
			if (Math.min(Math.abs(asks.top - button.bottom), Math.abs(button.top - asks.bottom)) > 16) return "it is not at its button";
			return "";
		}`, nil)
		must(p.t, err)
		if got != "" {
			p.t.Errorf("%s, confirmation %d: %v", p.URL(), i, got)
		}
		must(p.t, box.Locator("summary").Click())
	}
}

func TestConfirmationsOpenInPlace(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	a.addLists(t)
	id := a.addHook(t, "Accounting", "https://example.com/hook")
	for _, options := range []pageOptions{{}, {NoScript: true}, {Phone: true}, {Phone: true, NoScript: true}} {
		p := a.as(t, operator, options)
		for _, path := range []string{"/webhooks/" + id, "/channels", "/settings", "/settings/platforms", "/settings/people"} {
			if got := p.visit(a.URL + path); got != http.StatusOK {
				t.Fatalf("%s: got %d", path, got)
			}
			p.confirmsInPlace()
		}
	}
}

// The focus moves into the box, but not to the button that cannot be undone.
func TestConfirmationTakesTheFocus(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	p := a.as(t, operator, pageOptions{})
	p.visit(a.URL + "/webhooks/" + a.addHook(t, "Accounting", "https://example.com/hook"))
	p.opens("Delete webhook")
	must(t, expect.Locator(p.Locator("details[open] > .confirm-box")).ToBeFocused())
	p.key("Tab")
	must(t, expect.Locator(p.named("button", "Delete permanently")).ToBeFocused())
	p.key("Escape")
	must(t, expect.Locator(p.Locator("summary:has-text('Delete webhook')")).ToBeFocused())
}
