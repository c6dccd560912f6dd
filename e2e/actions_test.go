package e2e

import (
	"regexp"

	"github.com/playwright-community/playwright-go"
)

// What a person does on a page, found as a person finds it: by label, by name, by what can be read. Each waits until
// it is possible, and ends the test when it is not.

var (
	limit   = new(float64(patience.Milliseconds())) // playwright-go ignores a context's default in most actions
	expect  = playwright.NewPlaywrightAssertions(*limit)
	visible = playwright.LocatorFilterOptions{Visible: new(true)}
)

// visit opens the address and returns its status.
func (p *page) visit(url string) int {
	p.t.Helper()
	response, err := p.Goto(url)
	must(p.t, err)
	if response == nil {
		return 0 // only the fragment changed
	}
	return response.Status()
}

// fill types the value into the field with this label.
func (p *page) fill(label, value string) {
	p.t.Helper()
	must(p.t, p.labelled(label).Fill(value, playwright.LocatorFillOptions{Timeout: limit}))
}

// tick turns on the checkbox or radio button with this label.
func (p *page) tick(label string) {
	p.t.Helper()
	must(p.t, p.labelled(label).Check(playwright.LocatorCheckOptions{Timeout: limit}))
}

// press presses the button of this name.
func (p *page) press(name string) {
	p.t.Helper()
	must(p.t, p.named("button", name).Click(playwright.LocatorClickOptions{Timeout: limit}))
}

// follow follows the link of this name.
func (p *page) follow(name string) {
	p.t.Helper()
	must(p.t, p.named("link", name).Click(playwright.LocatorClickOptions{Timeout: limit}))
}

// opensTab opens a tab of a webhook's page.
func (p *page) opensTab(name string) {
	p.t.Helper()
	must(p.t, p.GetByLabel("Webhook", playwright.PageGetByLabelOptions{Exact: new(true)}).GetByRole("link", playwright.LocatorGetByRoleOptions{Name: name, Exact: new(true)}).Click())
}

// labelled is the form control with exactly this label that can be seen.
func (p *page) labelled(label string) playwright.Locator {
	return p.GetByLabel(label, playwright.PageGetByLabelOptions{Exact: new(true)}).Filter(visible)
}

// named is the element with this role and exactly this accessible name.
func (p *page) named(role, name string) playwright.Locator {
	options := playwright.PageGetByRoleOptions{Name: name, Exact: new(true)}
	return p.GetByRole(playwright.AriaRole(role), options)
}

// sees waits until the text is visible somewhere on the page. It need not be a whole paragraph.
func (p *page) sees(text string) {
	p.t.Helper()
	must(p.t, expect.Locator(p.GetByText(text).Filter(visible).First()).ToBeVisible())
}

// seesMatch is sees for a pattern: for what is live, and so never twice the same.
func (p *page) seesMatch(pattern string) {
	p.t.Helper()
	must(p.t, expect.Locator(p.GetByText(regexp.MustCompile(pattern)).Filter(visible).First()).ToBeVisible())
}

// isAt waits until the page's address matches the pattern.
func (p *page) isAt(pattern string) {
	p.t.Helper()
	must(p.t, expect.Page(p).ToHaveURL(regexp.MustCompile(pattern)))
}
