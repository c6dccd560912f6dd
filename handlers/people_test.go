package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
)

func TestNewPasswordOfSomebody(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	forgetful := s.signIn(staff)
	p := s.signIn(anna).post(s.passwordPath(staff), nil).is(http.StatusOK).has("Password of " + staff)
	made := p.find(`<pre id="password-new"[^>]*>([^<]*)<`)
	forgetful.get("/webhooks").is(http.StatusSeeOther) // to the sign-in
	forgetful.post("/login", url.Values{"email": {staff}, "password": {password}}).is(http.StatusUnprocessableEntity)
	forgetful.post("/login", url.Values{"email": {staff}, "password": {made}}).is(http.StatusSeeOther)
	s.signIn(anna).get("/settings/people").lacks(made)
	s.signIn(anna).get("/settings/activity").has(staff)
}

func TestWhosePasswordMayBeRenewed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, c := range []struct {
		who, whose string
		want       int
	}{
		{anna, admin, 403},
		{anna, berta, 200},
		{admin, anna, 200},
		{admin, admin, 422},
		{staff, berta, 403},
		{others, berta, 404},
		{others, lone, 404},
		{admin, lone, 404},
	} {
		if got := s.signIn(c.who).post(s.passwordPath(c.whose), nil); got.status != c.want {
			t.Errorf("%s for %s: got %d, want %d", c.who, c.whose, got.status, c.want)
		}
	}
	s.signIn(others).get("/settings/people").lacks("New password")
}

func TestWhoseRoleMayBeChanged(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, c := range []struct {
		who, whose, role string
		want             int
	}{
		{anna, admin, "staff", 403},
		{admin, admin, "staff", 422},
		{anna, anna, "staff", 422},
		{anna, staff, "admin", 422},
		{anna, staff, "", 422},
		{staff, staff, "operator", 403},
		{staff, berta, "staff", 403},
		{others, berta, "staff", 404},
		{others, lone, "staff", 404},
		{admin, lone, "staff", 404},
	} {
		if got := s.signIn(c.who).post(s.rolePath(c.whose), url.Values{"role": {c.role}}); got.status != c.want {
			t.Errorf("%s makes %s %q: got %d, want %d", c.who, c.whose, c.role, got.status, c.want)
		}
	}
}

// A role applies to who is signed in already.
func TestRoleApplies(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a, b := s.signIn(anna), s.signIn(staff)
	b.get("/settings/people").lacks("Add a person")
	a.post(s.rolePath(staff), url.Values{"role": {"operator"}}).is(http.StatusSeeOther)
	a.get("/settings/people").has("The role of "+staff+" is now operator.", "Make "+staff+" staff")
	b.get("/settings/people").has("Add a person")
	a.post(s.rolePath(staff), url.Values{"role": {"staff"}}).is(http.StatusSeeOther)
	b.get("/settings/people").lacks("Add a person")
	a.get("/settings/activity").has("Changed the role of " + staff + " to staff.")
}

// TestAddressesAreNotGuessed: without e-mail, nobody tries out for long which addresses sign in
// to other accounts.
func TestAddressesAreNotGuessed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	add := func(email string) page {
		return b.post("/settings/people", url.Values{"email": {email}, "role": {"staff"}})
	}
	for range 10 {
		add(others).is(http.StatusUnprocessableEntity).has("signs in here already")
	}
	add(others).is(http.StatusUnprocessableEntity).has("Too many of these addresses sign in here already.").lacks("Somebody with this")
	for i := range 3 {
		add(fmt.Sprintf("new%d@example.com", i)).is(http.StatusCreated)
	}
}

func (s *site) passwordPath(email string) string {
	s.Helper()
	return s.personPath(email) + "/password"
}

func (s *site) rolePath(email string) string {
	s.Helper()
	return s.personPath(email) + "/role"
}

func (s *site) personPath(email string) string {
	s.Helper()
	u, err := s.store.UserByEmail(s.Context(), email)
	s.check(err)
	return "/settings/people/" + u.ID.String()
}
