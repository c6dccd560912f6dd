package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/playwright-community/playwright-go"
)

// violation is one rule of axe-core that a page breaks, as axe reports it.
type violation struct {
	ID, Impact, Help string
	HelpURL          string `json:"helpUrl"`
	Nodes            []struct {
		HTML           string
		FailureSummary string `json:"failureSummary"`
	}
}

// All rules that are on by default (WCAG 2.0 to 2.2 A and AA, and best practices), and target-size of WCAG 2.2 AA,
// which is not.
// Given names of rules, only those.
const axeRun = `async (only) => JSON.stringify((await axe.run(document, {
	resultTypes: ["violations"],
	...only?.length ? {runOnly: {type: "rule", values: only}} : {rules: {"target-size": {enabled: true}}},
})).violations)`

// ofColours are the rules that depend on the theme.
var ofColours = []string{"color-contrast", "link-in-text-block"}

// axe runs axe-core on the page as it now stands, in the light theme and as far as that matters in the dark one, and
// reports every violation.
// It does not work on a page with JavaScript off.
func axe(t testing.TB, p playwright.Page) {
	t.Helper()
	_, err := p.Evaluate(`scrollTo(0, 0)`) // what is half below the bar at the top of a phone is no small target
	must(t, err)
	dark, err := p.Evaluate(`matchMedia("(prefers-color-scheme: dark)").matches`)
	must(t, err)
	for _, scheme := range []*playwright.ColorScheme{playwright.ColorSchemeLight, playwright.ColorSchemeDark} {
		setTheme(t, p, scheme)
		var only []string
		if scheme == playwright.ColorSchemeDark {
			only = ofColours
		}
		found, err := violations(p, only...)
		must(t, err)
		for _, v := range found {
			t.Errorf("axe, %s theme, %s: %s", *scheme, p.URL(), v)
		}
	}
	if dark == false {
		setTheme(t, p, playwright.ColorSchemeLight)
	}
}

func setTheme(t testing.TB, p playwright.Page, scheme *playwright.ColorScheme) {
	t.Helper()
	must(t, p.EmulateMedia(playwright.PageEmulateMediaOptions{ColorScheme: scheme}))
}

func violations(p playwright.Page, only ...string) ([]violation, error) {
	// Evaluated, not added as a script element, which the page's content security policy would refuse.
	loaded, err := p.Evaluate(`typeof axe !== "undefined"`)
	if err == nil && loaded == false {
		_, err = p.Evaluate(axeSource + ";null")
	}
	if err != nil {
		return nil, fmt.Errorf("load axe-core: %w", err)
	}
	result, err := p.Evaluate(axeRun, only)
	if err != nil {
		return nil, fmt.Errorf("run axe-core: %w", err)
	}
	text, ok := result.(string)
	if !ok {
		return nil, fmt.Errorf("axe-core gave %T, want a string", result)
	}
	var found []violation
	return found, json.Unmarshal([]byte(text), &found)
}

func (v violation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s): %s\n\t%s", v.ID, v.Impact, v.Help, v.HelpURL)
	for _, n := range v.Nodes {
		fmt.Fprintf(&b, "\n\t%s\n\t\t%s", n.HTML, strings.ReplaceAll(n.FailureSummary, "\n", "\n\t\t"))
	}
	return b.String()
}
