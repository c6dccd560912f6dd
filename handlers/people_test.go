package handlers_test

import (
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

func (s *site) passwordPath(email string) string {
	s.Helper()
	u, err := s.store.UserByEmail(s.Context(), email)
	s.check(err)
	return "/settings/people/" + u.ID.String() + "/password"
}
