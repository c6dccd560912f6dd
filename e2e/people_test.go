package e2e

import (
	"net/http"
	"strings"
	"testing"
)

func TestAddPerson(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	p := a.as(t, operator, pageOptions{})
	p.visit(a.URL + "/settings/people")
	p.fill("E-mail", "not an address")
	p.refused("Add person", "Enter an e-mail address")
	p.holds("E-mail", "not an address")
	p.fill("E-mail", staff)
	p.refused("Add person") // is there already

	p.fill("E-mail", "Tim@Example.com")
	p.choose("Staff")
	if got := p.submit("Add person"); got != http.StatusCreated {
		t.Errorf("add a person: got %d, want 201", got)
	}
	p.sees("Password of tim@example.com")
	first := p.text("#password-new")
	p.holds("E-mail", "")
	p.visit(a.URL + "/settings/people")
	p.lacks(first)

	tim := newPage(t, pageOptions{})
	tim.visit(a.URL + "/login")
	tim.fill("E-mail", "tim@example.com")
	tim.fill("Password", first)
	tim.press("Sign in")
	tim.isAt("/$")
	tim.sees("Staff")

	must(t, p.Locator("tr:has-text('tim@example.com') summary:has-text('Make operator')").Click())
	p.press("Make tim@example.com an operator")
	p.sees("The role of tim@example.com is now operator.")
	tim.reload()
	tim.sees("Operator")

	must(t, p.Locator("tr:has-text('tim@example.com') summary:has-text('New password')").Click())
	p.press("Create a new password for tim@example.com")
	p.sees("Password of tim@example.com")
	second := p.text("#password-new")
	tim.reload()
	tim.isAt("/login")
	tim.fill("E-mail", "tim@example.com")
	tim.fill("Password", second)
	tim.press("Sign in")
	tim.isAt("/$")

	must(t, p.Locator("tr:has-text('tim@example.com') summary:has-text('Remove')").Click())
	p.press("Remove tim@example.com")
	p.sees("tim@example.com was removed and signed out everywhere.")
	tim.reload()
	tim.isAt("/login")
	if got := tim.post(a.URL+"/login", map[string]any{"email": "tim@example.com", "password": first}); got != http.StatusUnprocessableEntity {
		t.Errorf("sign in after the removal: got %d, want 422", got)
	}
}

// Staff see what operators see, test and replay; what changes something is neither offered nor possible.
func TestStaff(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	a.addLists(t)
	in := receiver(t)
	id := a.addHook(t, "Accounting", in.URL)
	event := a.send(t, "B-1")
	in.next(t)

	p := a.as(t, staff, pageOptions{})
	for path, texts := range map[string][]string{
		"/webhooks":                       {"Accounting", "1 of 10"},
		"/webhooks/" + id:                 {"Accounting", in.URL},
		"/webhooks/" + id + "/deliveries": {"B-1"},
		"/webhooks/" + id + "/settings":   {"All events"},
		"/webhooks/" + id + "/signing":    {"Verify a request"},
		"/deliveries":                     {"B-1"},
		"/events/" + event.ID:             {"Webhooks"},
		"/channels":                       {"Viator"},
		"/tours":                          {"Night Walk"},
		"/settings":                       {"Change password"},
		"/settings/account":               {"Account number"},
		"/settings/people":                {operator, "Operator"},
		"/settings/tokens":                {"till"},
		"/settings/activity":              {"Accounting"},
	} {
		if got := p.visit(a.URL + path); got != http.StatusOK {
			t.Errorf("%s: got %d, want 200", path, got)
		}
		for _, text := range texts {
			p.sees(text)
		}
		for _, word := range []string{
			"Create new booking webhook", "Edit", "Switch off", "Delete webhook", "Create a new secret", "I have stored it",
			"Add a channel", "Import a list", "Rename", "Retire", "Save account", "Add a person", "Create a token", "Remove",
		} {
			p.lacks(word)
		}
	}

	p.visit(a.URL + "/webhooks/" + id)
	p.press("Send a test")
	p.isAt("/deliveries/dlv_")
	in.next(t)
	p.visit(a.URL + "/deliveries/" + event.Deliveries[0].ID)
	in.hangs()
	p.press("Replay")
	in.next(t)
	p.reload() // the answer to Replay may have been made before the request was
	p.sees("Sending")
	p.lacks("Stop retrying")
	must(t, expect.Locator(p.named("button", "Replay")).ToHaveCount(0))
	mayNotChange(t, a, p, id)
}

// mayNotChange checks that what staff are not offered is refused, too.
func mayNotChange(t *testing.T, a *account, p *page, id string) {
	t.Helper()
	for _, path := range []string{"/webhooks/new", "/admin/accounts"} {
		if got := p.visit(a.URL + path); got != http.StatusForbidden {
			t.Errorf("%s: got %d, want 403", path, got)
		}
		p.sees("You are not allowed to do this")
	}
	for _, path := range []string{
		"/webhooks/" + id + "/delete", "/webhooks/" + id + "/switch", "/webhooks/" + id + "/edit", "/channels/retire",
		"/settings/account", "/settings/people", "/settings/tokens",
	} {
		if got := p.post(a.URL+path, map[string]any{"id": "3930", "enabled": "0", "email": "x@example.com", "role": "operator"}); got != http.StatusForbidden {
			t.Errorf("post %s: got %d, want 403", path, got)
		}
	}
	if hooks := a.hooks(t); len(hooks) != 1 || !*hooks[0].Enabled {
		t.Errorf("webhooks: got %+v, want the one, on", hooks)
	}
}

// Another account's ids are as good as none.
func TestOtherAccount(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	a.addLists(t)
	in := receiver(t)
	id := a.addHook(t, "Accounting", in.URL)
	event := a.send(t, "B-1")
	in.next(t)
	owner := a.as(t, operator, pageOptions{})
	owner.visit(a.URL + "/webhooks/new")
	draft := strings.TrimSuffix(strings.TrimPrefix(owner.URL(), a.URL), "/type")

	a.addAccount("Rival Tours", "rita@example.com")
	p := a.as(t, "rita@example.com", pageOptions{})
	for _, path := range []string{
		"/webhooks/" + id, "/webhooks/" + id + "/deliveries", "/webhooks/" + id + "/settings", "/webhooks/" + id + "/signing", "/deliveries/" + event.Deliveries[0].ID, "/events/" + event.ID, draft + "/type",
		"/webhooks/whk_0", "/events/evt_nonsense", "/deliveries/" + id, "/drafts/drf_1/nothing", "/nothing",
	} {
		if got := p.visit(a.URL + path); got != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", path, got)
		}
	}
	for _, path := range []string{
		"/webhooks/" + id + "/delete", "/webhooks/" + id + "/test", "/deliveries/" + event.Deliveries[0].ID + "/replay",
		draft + "/type", draft + "/delete",
	} {
		if got := p.post(a.URL+path, nil); got != http.StatusNotFound {
			t.Errorf("post %s: got %d, want 404", path, got)
		}
	}
	p.visit(a.URL + "/webhooks")
	p.sees("No webhooks yet")
	for _, path := range []string{"/deliveries", "/events", "/channels", "/tours"} {
		p.visit(a.URL + path)
		p.lacks("B-1")
		p.lacks("Viator")
		p.lacks("Night Walk")
	}
	if in.waiting() != 0 || len(a.hooks(t)) != 1 {
		t.Error("the other account's operator changed something")
	}
}
