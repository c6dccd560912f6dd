package e2e

import (
	"net/http"
	"strings"
	"testing"
)

func TestSetUp(t *testing.T) {
	t.Parallel()
	srv := startServer(t)
	link := srv.setupLink()
	p := newPage(t, pageOptions{})

	if got := p.visit(srv.URL + "/login"); got != http.StatusConflict {
		t.Errorf("sign-in before the set-up: got %d, want 409", got)
	}
	p.sees("Bookhook is not set up yet")
	if got := p.visit(srv.URL + "/setup?token=guessed"); got != http.StatusForbidden {
		t.Errorf("a guessed link: got %d, want 403", got)
	}
	p.sees("This set-up link is not valid")

	p.visit(link)
	guessed, err := p.Evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
	must(t, err)
	p.holds("Time zone", guessed.(string))
	p.selects("Time zone", "Europe/Tallinn")
	p.fill("Company name", "Ada Tours 🎟")
	p.fill("Account number (optional)", "forty")
	p.fill("Your e-mail address", "ada@")
	p.fill("Password", "short")
	p.refused("Create account", "3 problems", "Use at least 12 characters")
	p.holds("Company name", "Ada Tours 🎟")
	p.holds("Account number (optional)", "forty")
	p.holds("Your e-mail address", "ada@")
	p.holds("Time zone", "Europe/Tallinn") // what was chosen is not guessed again
	p.holds("Password", "")                // never sent back

	p.fill("Account number (optional)", "4069")
	p.fill("Your e-mail address", operator)
	p.fill("Password", password)
	p.press("Create account")
	p.isAt("/$")
	p.sees("Welcome to Bookhook.")
	p.sees("No booking has arrived yet.")
	p.sees("Account 4069")
	p.sees("Administrator")
	p.visit(srv.URL + "/settings/account")
	p.holds("Time zone", "Europe/Tallinn")
	p.follow("Accounts")
	p.isAt("/admin/accounts$")
	p.sees("0 of 10")

	if got := p.visit(link); got != http.StatusConflict {
		t.Errorf("the link once more: got %d, want 409", got)
	}
	p.sees("Bookhook is set up already")

	srv.restart()
	if log := srv.log.String(); strings.Contains(log, "/setup") {
		t.Errorf("the second start printed a set-up link:\n%s", log)
	}
	p.visit(srv.URL + "/")
	p.sees("No booking has arrived yet.") // the session outlives the process
}

func TestSetUpWithoutJavaScript(t *testing.T) {
	t.Parallel()
	srv := startServer(t)
	p := newPage(t, pageOptions{NoScript: true, Phone: true})
	p.visit(srv.setupLink())
	p.fill("Company name", "Ada Tours")
	p.fill("Your e-mail address", operator)
	p.fill("Password", password)
	must(t, p.labelled("Password").Press("Enter"))
	p.isAt("/$")
	p.sees("Welcome to Bookhook.")
}
