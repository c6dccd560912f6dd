package e2e

import (
	"testing"

	"github.com/playwright-community/playwright-go"
)

// The choice of a theme is kept, and stands over the system's.
func TestTheme(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	p := a.as(t, operator, pageOptions{})
	background := func() string {
		t.Helper()
		return p.evaluate(`getComputedStyle(document.documentElement).backgroundColor + " " +
			getComputedStyle(document.body).backgroundColor`).(string)
	}
	pressed := func(name string) {
		t.Helper()
		must(t, expect.Locator(p.named("button", name)).ToHaveAttribute("aria-pressed", "true"))
	}
	p.visit(a.URL + "/tours?q=walk")
	pressed("Same as the system")
	light := background()
	p.press("Dark")
	pressed("Dark")
	p.isAt(`/tours\?q=walk$`) // and one stays where one is
	dark := background()
	if dark == light {
		t.Errorf("background: got %s in both themes", dark)
	}
	p.reload()
	a.restart()
	p.visit(a.URL + "/deliveries")
	pressed("Dark")
	p.press("Sign out")
	p.isAt("/login$")
	if got := background(); got != dark {
		t.Errorf("background of the sign-in: got %s, want %s", got, dark)
	}
	must(t, p.EmulateMedia(playwright.PageEmulateMediaOptions{ColorScheme: playwright.ColorSchemeDark}))
	p.signIn(a.URL, operator, password)
	p.visit(a.URL + "/webhooks")
	p.press("Light")
	pressed("Light")
	if got := background(); got != light {
		t.Errorf("background, light on a dark system: got %s, want %s", got, light)
	}
	p.press("Same as the system")
	pressed("Same as the system")
	if got := background(); got != dark {
		t.Errorf("background, as a dark system: got %s, want %s", got, dark)
	}
	p.axeInChosenTheme("Dark")
	p.axeInChosenTheme("Light")
}

// axeInChosenTheme chooses a theme against the system's and runs axe: the choice must reach every colour.
func (p *page) axeInChosenTheme(name string) {
	p.t.Helper()
	p.press(name)
	must(p.t, expect.Locator(p.named("button", name)).ToHaveAttribute("aria-pressed", "true"))
	axe(p.t, p)
}
