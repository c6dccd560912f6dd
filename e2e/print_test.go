package e2e

import (
	"net/http"
	"testing"

	"github.com/playwright-community/playwright-go"
)

// What is printed is black on white, also from the dark theme, whole, and without what
// only a screen can do.
func TestPrint(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	in := receiver(t)
	in.answers(http.StatusUnprocessableEntity)
	hook := op.webhook("Accounting", in.URL+"/books", nil)
	e := op.event(oddEvent)
	in.next(t)
	op.awaitAttempts(e.to(hook), 1)
	p := op.as(t, operator, pageOptions{})
	p.visit(op.URL + "/deliveries")
	p.press("Dark")
	paper, screen := playwright.PageEmulateMediaOptions{Media: playwright.MediaPrint}, playwright.PageEmulateMediaOptions{Media: playwright.MediaScreen}
	for _, path := range []string{"/deliveries/" + e.to(hook), "/events/" + e.ID, "/bookings/B%201%2F2%20&%20%C3%A9%20%22%3Cb%3E", "/deliveries", "/events", "/stats", "/reconcile"} {
		p.visit(op.URL + path)
		if got := p.evaluate(lightnessOf("document.body", "color")); number(got) < .6 {
			t.Errorf("%s: text of lightness %v on a dark screen", path, got)
		}
		must(t, p.EmulateMedia(paper))
		if got := p.evaluate(lightnessOf("document.querySelector('main h1')", "color")); number(got) > .3 {
			t.Errorf("%s: text of lightness %v on paper", path, got)
		}
		if got := p.evaluate(lightnessOf("document.body", "backgroundColor")); number(got) != 1 {
			t.Errorf("%s: paper of lightness %v", path, got)
		}
		if got := p.evaluate(`[...document.querySelectorAll("nav:not([aria-label=Period]), button, .button, [type=search]")].filter((x) => x.checkVisibility()).map((x) => x.outerHTML.slice(0, 80)).join("\n")`); got != "" {
			t.Errorf("%s: printed is %s", path, got)
		}
		must(t, p.SetViewportSize(688, 1000)) // the width of A4 between its margins
		p.fits()
		must(t, p.EmulateMedia(screen))
		must(t, p.SetViewportSize(1280, 800))
	}
	p.visit(op.URL + "/reconcile")
	p.selects("Webhook", "Accounting")
	p.fill("Paste the references that it holds", "B-2")
	p.press("Compare")
	p.sees("Accounting lacks 1 booking that it was sent.")
	for _, path := range []string{p.URL(), op.URL + "/deliveries", op.URL + "/events"} { // a table on paper, too, and no cards
		p.visit(path)
		must(t, p.EmulateMedia(paper))
		must(t, p.SetViewportSize(688, 1000))
		if got := p.evaluate(`getComputedStyle(document.querySelector(".log tbody tr")).display`); got != "table-row" {
			t.Errorf("%s: a row is printed as %s", path, got)
		}
		p.fits()
		must(t, p.EmulateMedia(screen))
	}
	p.visit(op.URL + "/deliveries/" + e.to(hook))
	must(t, p.EmulateMedia(paper))
	p.sees(in.URL + "/books")
	if file, err := p.PDF(); err != nil || len(file) < 10_000 {
		t.Errorf("as PDF: %d bytes, %v", len(file), err)
	}
}

// lightnessOf is a script for how light a colour of an element is: 0 is black, 1 is white.
func lightnessOf(element, property string) string {
	return `(() => {
		const [r, g, b] = getComputedStyle(` + element + `).` + property + `.match(/[\d.]+/g).map(Number);
		return (r + g + b) / 3 / 255;
	})()`
}
