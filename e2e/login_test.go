package e2e

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"
)

func TestSignIn(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	p := newPage(t, pageOptions{})

	p.visit(a.URL + "/tours?q=walk")
	p.isAt(`/login\?next=`)
	p.fill("E-mail", operator)
	p.fill("Password", "not the password")
	p.refused("Sign in", "Wrong e-mail address or password.")
	p.holds("E-mail", operator)
	p.holds("Password", "")

	p.fill("Password", password)
	p.press("Sign in")
	p.isAt(`/tours\?q=walk$`) // where the visitor wanted to go, through a wrong try

	p.press("Sign out")
	p.isAt("/login$")
	p.back() // what stood there must not come back out of a cache
	p.isAt("/login")
	p.visit(a.URL + "/webhooks")
	p.isAt("/login")
}

func TestSignInStaysOnThisSite(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	for _, next := range []string{"//evil.example/", "https://evil.example/", `/\evil.example`, "javascript:alert(1)"} {
		p := newPage(t, pageOptions{})
		p.visit(a.URL + "/login?next=" + url.QueryEscape(next))
		p.fill("E-mail", operator)
		p.fill("Password", password)
		p.press("Sign in")
		p.isAt("^" + regexp.QuoteMeta(a.URL) + "/$")
	}
}

func TestSignOutEverywhere(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	office, phone := a.as(t, operator, pageOptions{}), a.as(t, operator, pageOptions{Phone: true})
	colleague := a.as(t, staff, pageOptions{})
	phone.visit(a.URL + "/webhooks")
	phone.isAt("/webhooks$")

	office.visit(a.URL + "/settings")
	office.opens("Sign out everywhere")
	office.press("Sign out everywhere now")
	office.isAt("/login$")
	phone.reload()
	phone.isAt("/login")
	colleague.visit(a.URL + "/webhooks")
	colleague.isAt("/webhooks$")
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	p, other := a.as(t, operator, pageOptions{}), a.as(t, operator, pageOptions{})

	p.visit(a.URL + "/settings")
	p.fill("Current password", "wrong")
	p.fill("New password", "short")
	p.refused("Change password", "This is not your password.", "Use at least 12 characters")
	p.fill("Current password", password)
	p.fill("New password", "a new and longer one")
	p.press("Change password")
	p.sees("Your password was changed. Other browsers were signed out.")
	p.visit(a.URL + "/webhooks")
	p.isAt("/webhooks$")
	other.visit(a.URL + "/webhooks")
	other.isAt("/login")
	other.signIn(a.URL, operator, "a new and longer one")
}

func TestTooManyWrongPasswords(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	p := newPage(t, pageOptions{})
	for range 10 {
		got := p.post(a.URL+"/login", map[string]any{"email": operator, "password": "guess"})
		if got != http.StatusUnprocessableEntity {
			t.Fatalf("a wrong password: got %d, want 422", got)
		}
	}
	p.visit(a.URL + "/login")
	p.fill("E-mail", operator)
	p.fill("Password", password)
	if got := p.submit("Sign in"); got != http.StatusTooManyRequests {
		t.Errorf("the eleventh attempt: got %d, want 429", got)
	}
	p.complains("Too many failed attempts. Wait 15 minutes, or sign in from another network.")
	p.holds("E-mail", operator)

	p.fill("E-mail", staff) // one name is closed, not the whole office
	p.fill("Password", password)
	p.press("Sign in")
	p.isAt("/$")
}
