package e2e

import (
	"strings"
	"testing"

	"github.com/playwright-community/playwright-go"
)

// The same wizard for whoever has no JavaScript, no mouse, or no big screen.

func TestWizardWithoutJavaScript(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	a.addLists(t)
	p := a.as(t, operator, pageOptions{NoScript: true})
	p.visit(a.URL + "/webhooks")
	p.press("Create your first webhook")
	p.goesOn("name")
	p.refused("Continue", "Enter a name.", "Enter the URL to call")
	p.fill("Name", "Accounting")
	p.fill("URL", "https://example.com/hook")
	p.chosen("Signed JSON")
	p.opens("View the request that the receiver gets")
	p.sees("POST ")
	p.press("Back") // keeps what was typed
	p.goesOn("name")
	p.holds("Name", "Accounting")
	p.goesOn("events")
	p.lacks("Select all") // would do nothing
	must(t, expect.Locator(p.Locator("main input[type=search]").Filter(visible)).ToHaveCount(0))
	p.choose("Voucher redeemed")
	p.goesOn("channels")
	p.choose("Only selected channels")
	p.choose("Viator")
	p.goesOn("tours")
	p.choose("All except these tours")
	p.opens("Paste a list of ids")
	p.fill("Tour ids", "15 16")
	p.refused("Continue", "This account has no tour with the id 16.")
	p.holds("Tour ids", "15 16")
	p.fill("Tour ids", "15 12")
	p.goesOn("review")
	p.says("When a booking is confirmed, is cancelled or has a voucher redeemed, on the Viator channel, " +
		"for any tour except Harbour Walk and Night Walk, call https://example.com/hook.")
	p.opens("Discard") // can be opened, and need not be used
	p.press("Create webhook")
	p.secretOnce()

	p.opensTab("Settings")
	p.press("Edit")
	p.follow("Change events")
	p.choose("All events")
	p.goesOn("review")
	p.press("Save changes")
	p.sees("All events, including those added later")
	p.opens("Delete webhook")
	p.press("Delete permanently")
	p.sees("“Accounting” was deleted.")
}

// tabTo presses Tab until the element has the focus, and checks on the way that one always sees where it is.
func (p *page) tabTo(target playwright.Locator) {
	p.t.Helper()
	must(p.t, expect.Locator(target).ToBeVisible())
	for range 80 {
		p.key("Tab")
		p.showsFocus()
		here, err := target.Evaluate("e => e === document.activeElement", nil)
		must(p.t, err)
		if here == true {
			return
		}
	}
	p.t.Fatalf("Tab does not lead to %v; it is at %q", target, p.focused())
}

// showsFocus checks that the element with the focus has an outline, or its label has.
func (p *page) showsFocus() {
	p.t.Helper()
	shown := p.evaluate(`[document.activeElement, document.activeElement.closest("label")].some((e) => {
		if (e === document.body) return true; // left for the browser's own buttons
		const style = e && getComputedStyle(e);
		return style && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
	})`)
	if shown != true {
		p.t.Errorf("%s: nothing shows that the focus is on %q", p.URL(), p.focused())
	}
}

func (p *page) key(keys ...string) {
	p.t.Helper()
	for _, key := range keys {
		must(p.t, p.Keyboard().Press(key))
	}
}

// types replaces what is in the field that has the focus.
func (p *page) types(text string) {
	p.t.Helper()
	p.key("ControlOrMeta+A")
	must(p.t, p.Keyboard().Type(text))
}

// tabsOn goes on to the next step without a mouse.
func (p *page) tabsOn(step string) {
	p.t.Helper()
	p.tabTo(p.named("button", "Continue"))
	p.key("Enter")
	p.isAt("/" + step + "$")
}

func TestWizardByKeyboard(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	a.addLists(t)
	p := a.as(t, operator, pageOptions{})
	p.visit(a.URL + "/webhooks")
	p.key("Tab")
	if got := p.focused(); got != "Skip to content" {
		t.Errorf("first stop: got %q, want the link over the navigation", got)
	}
	p.key("Enter")
	p.tabTo(p.named("button", "Create new booking webhook"))
	p.key("Enter")
	p.isAt("/type$")
	p.tabsOn("name")

	p.tabTo(p.labelled("Name"))
	p.types("Accounting")
	p.key("Enter") // sends the form, as in any form
	p.complains("Enter the URL to call")
	p.tabTo(p.named("link", "Enter the URL to call, such as https://example.com/bookings."))
	p.key("Enter")
	must(t, expect.Locator(p.labelled("URL")).ToBeFocused())
	p.types("https://example.com/hook")
	p.lacks("Enter the URL to call") // it is corrected
	must(t, expect.Locator(p.Locator(".problems")).ToHaveCount(0))
	p.tabTo(p.option("Signed JSON"))
	p.key("ArrowDown")
	p.chosen("Native call")
	p.key("ArrowUp")
	p.chosen("Signed JSON")
	p.tabsOn("events")

	p.tabTo(p.labelled("Search events"))
	p.types("expired")
	p.key("Enter") // searches, does not go on
	p.lacks("Booking cancelled")
	p.tabTo(p.named("button", "Select all in Expiry"))
	p.key("Space")
	p.chosen("Quotation expired", "Provisional booking expired")
	p.key("Shift+Tab", "Escape")
	p.sees("Booking cancelled")
	p.tabTo(p.option("New confirmed booking (staff)"))
	p.key("Space")
	p.notChosen("New confirmed booking (staff)")
	p.tabsOn("channels")

	p.tabTo(p.option("All channels"))
	p.key("ArrowDown")
	p.chosen("Only selected channels")
	p.tabTo(p.option("Website"))
	p.key("Space")
	p.tabsOn("tours")

	p.tabTo(p.option("All tours"))
	p.key("ArrowDown", "ArrowDown")
	p.chosen("All except these tours")
	p.tabTo(p.Locator("summary:has-text('Paste a list of ids')"))
	p.key("Enter")
	p.tabTo(p.labelled("Tour ids"))
	p.types("15")
	p.tabsOn("review")

	p.says("When a booking is confirmed (web/API), is cancelled, expires as a quotation or expires while provisional, " +
		"on the Website channel, for any tour except Night Walk, call https://example.com/hook.")
	p.tabTo(p.named("button", "Create webhook"))
	p.key("Enter")
	p.sees("“Accounting” is on")
}

// A box that asks takes no for an answer, and no key press is caught in a corner of the page.
func TestWebhookPageByKeyboard(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	id := a.addHook(t, "Accounting", "https://example.com/hook")
	p := a.as(t, operator, pageOptions{})
	p.visit(a.URL + "/webhooks/" + id + "/settings")
	p.tabTo(p.Locator("summary:has-text('Delete webhook')"))
	p.key("Enter")
	p.sees("This cannot be undone.")
	p.key("Escape")
	p.lacks("This cannot be undone.")
	must(t, expect.Locator(p.Locator("summary:has-text('Delete webhook')")).ToBeFocused())
	for range 60 { // to the end and out: no trap
		p.key("Tab")
		if p.focused() == "Skip to content" {
			return
		}
	}
	t.Error("Tab does not come round to the beginning")
}

// fits checks that the page is not wider than the screen.
func (p *page) fits() {
	p.t.Helper()
	if out := p.sticksOut(); out != "" {
		p.t.Errorf("%s is wider than the screen: %s", p.URL(), out)
	}
}

// sticksOut says what makes the page wider than the screen, "" when nothing does.
func (p *page) sticksOut() string {
	p.t.Helper()
	return p.evaluate(`(() => {
		const width = Math.min(innerWidth, document.documentElement.clientWidth, screen.width);
		const scrolls = document.scrollingElement.scrollWidth;
		if (scrolls <= width) return "";
		const out = [...document.querySelectorAll("body *")].filter((e) => e.scrollWidth > width || e.getBoundingClientRect().right > width + 1);
		return scrolls + " px: " + out.slice(-3).map((e) => e.outerHTML.slice(0, 150)).join(" … ");
	})()`).(string)
}

func TestWizardOnPhone(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	a.addLists(t)
	p := a.as(t, operator, pageOptions{Phone: true, Dark: true})
	p.visit(a.URL + "/deliveries")
	p.press("Menu")
	p.follow("Booking webhooks")
	p.isAt("/webhooks$")
	must(t, p.named("button", "Create new booking webhook").Tap())
	p.isAt("/type$")
	p.fits()
	p.goesOn("name")
	p.sees("Step 2 of 6")
	name := "Accounting" + strings.Repeat("🎟", 90) // no space to break at
	p.fill("Name", name)
	p.fill("URL", "https://example.com/"+strings.Repeat("hook", 100))
	p.fits()
	must(t, p.named("button", "Continue").Tap()) // out of the field that is being checked
	p.isAt("/events$")
	p.fits()
	p.goesOn("channels")
	p.choose("Only selected channels")
	p.choose("Viator")
	p.fits()
	p.goesOn("tours")
	p.choose("Only these tours")
	p.opens("Paste a list of ids")
	p.fill("Tour ids", "12,15")
	p.fits()
	p.goesOn("review")
	p.fits()
	p.opens("View the request that is sent")
	p.opens("Discard")
	p.fits()
	must(t, p.named("button", "Create webhook").Tap())
	p.isAt("/webhooks/whk_")
	p.fits()
	p.secretOnce()
}
