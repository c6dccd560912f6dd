package e2e

import (
	"net/http"
	"regexp"

	"github.com/playwright-community/playwright-go"
)

// What a person does with a form, and what the form makes of it.

// submit presses the button, waits until the page that it leads to is there, and returns its status, after redirects.
func (p *page) submit(button string) int {
	p.t.Helper()
	response, err := p.ExpectEvent("response", func() error {
		_, err := p.ExpectEvent("framenavigated", func() error {
			return p.named("button", button).Click(playwright.LocatorClickOptions{Timeout: limit})
		}, playwright.PageExpectEventOptions{Timeout: limit})
		return err
	}, playwright.PageExpectEventOptions{Timeout: limit, Predicate: isPage})
	must(p.t, err)
	must(p.t, p.WaitForLoadState(playwright.PageWaitForLoadStateOptions{Timeout: limit}))
	return response.(playwright.Response).Status()
}

// isPage reports whether the response is a page, not a part of one nor the way to one.
func isPage(r playwright.Response) bool {
	return r.Request().IsNavigationRequest() && (r.Status() < 300 || r.Status() > 399)
}

// refused presses the button and checks that the form comes back: 422, and a summary with these texts that has taken
// the focus.
func (p *page) refused(button string, texts ...string) {
	p.t.Helper()
	if got := p.submit(button); got != http.StatusUnprocessableEntity {
		p.t.Errorf("%s: got status %d, want 422", button, got)
	}
	p.complains(texts...)
}

// complains checks that there is a summary of what is wrong, with these texts, and that it has the focus.
func (p *page) complains(texts ...string) {
	p.t.Helper()
	summary := p.Locator(".problems[role=alert]")
	must(p.t, expect.Locator(summary).ToBeFocused())
	for _, text := range texts {
		must(p.t, expect.Locator(summary).ToContainText(text))
	}
}

// choose turns on the checkbox or radio button whose label begins with this text; a hint may follow it.
func (p *page) choose(label string) {
	p.t.Helper()
	must(p.t, p.option(label).Check(playwright.LocatorCheckOptions{Timeout: limit}))
}

// unchoose turns the checkbox off again.
func (p *page) unchoose(label string) {
	p.t.Helper()
	must(p.t, p.option(label).Uncheck(playwright.LocatorUncheckOptions{Timeout: limit}))
}

// option is the checkbox or radio button whose label begins with this text.
func (p *page) option(label string) playwright.Locator {
	begins := regexp.MustCompile(`^\s*` + regexp.QuoteMeta(label))
	return p.Locator("label", playwright.PageLocatorOptions{HasText: begins}).
		Locator("input[type=radio], input[type=checkbox]")
}

// chosen checks that the checkbox or radio button is on.
func (p *page) chosen(labels ...string) {
	p.t.Helper()
	for _, label := range labels {
		must(p.t, expect.Locator(p.option(label)).ToBeChecked())
	}
}

// notChosen checks that the checkbox or radio button is off.
func (p *page) notChosen(labels ...string) {
	p.t.Helper()
	for _, label := range labels {
		must(p.t, expect.Locator(p.option(label)).Not().ToBeChecked())
	}
}

// holds checks the value of the field with this label.
func (p *page) holds(label, value string) {
	p.t.Helper()
	must(p.t, expect.Locator(p.labelled(label)).ToHaveValue(value))
}

// opens opens the part of the page that is folded away under this summary.
func (p *page) opens(summary string) {
	p.t.Helper()
	text := regexp.MustCompile(`^\s*` + regexp.QuoteMeta(summary) + `\s*$`)
	found := p.Locator("summary", playwright.PageLocatorOptions{HasText: text}).Filter(visible)
	open, err := found.Evaluate("e => e.parentElement.open", nil, playwright.LocatorEvaluateOptions{Timeout: limit})
	must(p.t, err)
	if open == false {
		must(p.t, found.Click(playwright.LocatorClickOptions{Timeout: limit}))
	}
}

// lacks checks that nothing that can be seen has this text.
func (p *page) lacks(text string) {
	p.t.Helper()
	must(p.t, expect.Locator(p.GetByText(text).Filter(visible)).ToHaveCount(0))
}

// reload reloads the page and returns its status.
func (p *page) reload() int {
	p.t.Helper()
	response, err := p.Reload()
	must(p.t, err)
	return response.Status()
}

// back presses the browser's back button.
func (p *page) back() {
	p.t.Helper()
	_, err := p.GoBack()
	must(p.t, err)
}

// text is the text of the element, as it can be read.
func (p *page) text(selector string) string {
	p.t.Helper()
	text, err := p.Locator(selector).InnerText(playwright.LocatorInnerTextOptions{Timeout: limit})
	must(p.t, err)
	return text
}

// focused is the id of the element that has the focus, or else its text.
func (p *page) focused() string {
	p.t.Helper()
	return p.evaluate(`document.activeElement.id || document.activeElement.textContent.trim()`).(string)
}
