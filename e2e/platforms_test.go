package e2e

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/playwright-community/playwright-go"
)

const addressOfWink = "#platform-wink-address"

// switchOn switches a platform on, as a person does.
func (p *page) switchOn(site, platform string) {
	p.t.Helper()
	p.visit(site + "/settings/platforms")
	p.follow(platform)
	p.press("Switch on " + platform)
	p.sees(platform + " is on. Enter its address in " + platform)
}

func TestPlatformsSwitchAndAddress(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	p := a.as(t, operator, pageOptions{})
	must(t, p.Context().GrantPermissions([]string{"clipboard-read", "clipboard-write"}))
	p.switchOn(a.URL, "Wink")
	p.looks()

	p.press("Copy address for Wink")
	must(t, expect.Locator(p.GetByText("Copied").Filter(visible)).ToHaveCount(1))
	first := p.text(addressOfWink)
	if got := p.evaluate("navigator.clipboard.readText()"); got != first || !strings.HasPrefix(first, a.URL+"/in/wink/") {
		t.Errorf("copied %q of %q, want the address at %s", got, first, a.URL)
	}

	p.opens("New address for Wink")
	p.sees("The current one keeps working for 7 days")
	p.press("Create a new address for Wink")
	p.sees("Wink has a new address.")
	if got := p.text(addressOfWink); got == first || !strings.HasPrefix(got, a.URL+"/in/wink/") {
		t.Errorf("got %q, want another address than %q", got, first)
	}
	p.seesMatch("The previous address, which ends in …" + first[len(first)-6:] + ", keeps working until [0-9:]+ on ")
	p.looks()

	p.opens("Switch off Wink")
	p.sees("but sends them to no webhook.")
	p.press("Switch Wink off")
	p.sees("Wink is off.")
	p.visit(a.URL + "/settings/activity")
	p.sees("Switched off the platform")
	p.sees("Created a new address for the platform")

	s := a.as(t, staff, pageOptions{})
	for _, path := range []string{"/settings/platforms", "/settings/platforms/ltd"} {
		s.visit(a.URL + path)
		s.sees("London Theatre Direct")
		s.lacks("/in/")
		s.lacks("Switch on")
	}
}

// Everything on the page works without JavaScript, but copying.
func TestPlatformsWithoutJavaScript(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	p := a.as(t, operator, pageOptions{NoScript: true, Phone: true})
	p.switchOn(a.URL, "Prioticket")
	p.opens("New address for Prioticket")
	p.press("Create a new address for Prioticket")
	p.sees("Prioticket has a new address.")
	p.opens("Switch off Prioticket")
	p.press("Switch Prioticket off")
	p.sees("Prioticket is off.")
	p.lacks("Copy")
}

func TestNoRejectedRequests(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	p := a.as(t, operator, pageOptions{})
	p.visit(a.URL + "/settings/platforms")
	p.lacks("Rejected requests")
	p.visit(a.URL + "/settings/rejected")
	p.sees("No rejected requests")
}

// eventGroup is a group of events in the wizard, by its heading.
func (p *page) eventGroup(name string) playwright.Locator {
	heading := playwright.LocatorFilterOptions{Has: p.Locator(".name", playwright.PageLocatorOptions{HasText: regexp.MustCompile("^" + regexp.QuoteMeta(name) + "$")})}
	return p.Locator("details.group").Filter(heading)
}

func isOpen(t testing.TB, group playwright.Locator, want bool) {
	t.Helper()
	events := expect.Locator(group.Locator("fieldset").First())
	if !want {
		events = events.Not()
	}
	must(t, events.ToBeVisible())
}

func TestWizardEventsOfWink(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	p := a.as(t, operator, pageOptions{})
	p.beginWebhook(a.URL, "Rooms", "https://example.com/hook")
	p.lacks("Account created")
	p.follow("Settings › Platforms")
	for _, platform := range []string{"Wink", "Prioticket", "London Theatre Direct"} {
		p.switchOn(a.URL, platform)
	}
	p.visit(a.URL + "/webhooks")
	p.follow("Continue Rooms")
	p.isAt("/events$")
	p.sees("129 events")
	p.lacks("Other platforms:")
	p.lacks("Account created")
	p.looks()
	p.reload() // what was unfolded to be looked at

	isOpen(t, p.eventGroup("New booking"), true) // something in it is recommended, and so chosen
	isOpen(t, p.eventGroup("Account events"), false)
	must(t, expect.Locator(p.Locator("summary [lang=et]")).ToHaveText([]string{
		"Konto sündmused", "Saaja sündmused", "Broneeringu lepingu sündmused", "Maksete sündmused", "Broneeringu sündmused",
		"Kanalihalduri sündmused", "Pearaamatu sündmused", "Halduse üksuse sündmused",
	}))
	p.fill("Search events", "konto loodud")
	p.sees("1 of 176") // with the ten of Bookhook itself
	p.sees("Account created")
	p.sees("No longer in Wink’s catalogue.")
	p.lacks("New confirmed booking (web/API)")
	p.choose("Account created")
	p.fill("Search events", "wink:account.tasks")
	p.lacks("Account created")
	p.fill("Search events", "ORDER_UPDATE")
	p.lacks("follows the pattern")
	p.fill("Search events", "PAYMENT_UPDATE")
	p.sees("this one follows the pattern of the others.")
	p.fill("Search events", "")
	p.sees("1 of 20 chosen")
	isOpen(t, p.eventGroup("Account events"), true) // for what was chosen in it
	isOpen(t, p.eventGroup("Property events"), false)
	must(t, p.eventGroup("Property events").Locator("summary").Click())
	p.press("Select all in Wink: Property events")
	p.sees("13 of 13 chosen")
	p.unchoose("New confirmed booking (staff)")

	p.leaveAllOpen()
	p.press("Create webhook")
	p.sees("“Rooms” is on")
	events := a.hooks(t)[0].Events
	for _, want := range []string{"wink:account.create", "new_confirmed_web", "cancelled"} {
		if !slices.Contains(events, want) {
			t.Errorf("got %v, want %s among them", events, want)
		}
	}
	if slices.Contains(events, "new_confirmed_staff") || len(events) < 16 {
		t.Errorf("got %v, want the 13 of properties and not the one that was taken out", events)
	}
	p.visit(a.URL + "/deliveries")
	must(t, expect.Locator(p.Locator("select[name=type] optgroup")).ToHaveCount(5)) // Bookhook itself is the fifth
}

// On a phone without JavaScript the groups open by themselves, and nothing sticks out.
func TestWizardEventsOnPhoneWithoutJavaScript(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	p := a.as(t, operator, pageOptions{NoScript: true, Phone: true})
	p.switchOn(a.URL, "Wink")
	p.beginWebhook(a.URL, "Rooms", "https://example.com/hook")
	must(t, p.eventGroup("Payee events").Locator("summary").Click())
	must(t, p.eventGroup("Payee events").Locator("input").First().Check())
	p.lacks("Select all")
	p.goesOn("channels")
	p.back()
	isOpen(t, p.eventGroup("Payee events"), true)
}
