package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"bookhook/webhook"
)

// Staff see the account's settings, and nothing there to change them with.
func TestStaffSeeSettings(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, err := s.store.AddToken(t.Context(), webhook.Token{Account: s.account.ID, Name: "TourCMS bridge"}, []byte("hash"), webhook.Change{By: anna, At: time.Now()})
	s.check(err)
	b, operator := s.signIn(staff), s.signIn(anna)
	for path, want := range map[string]string{
		"/settings/account":   s.account.Name,
		"/settings/platforms": "On, no call yet",
		"/settings/people":    anna,
		"/settings/tokens":    "TourCMS bridge",
		"/settings/activity":  "Created the API token “TourCMS bridge”",
	} {
		b.get("/settings").has(`href="` + path + `"`)
		p := b.get(path).is(http.StatusOK).has(want)
		if body := cut(p.text, "<main"); hasForm(body) {
			t.Errorf("%s offers staff something to change:\n%s", path, body)
		}
		if path != "/settings/activity" && path != "/settings/platforms" && !hasForm(cut(operator.get(path).text, "<main")) {
			t.Errorf("%s has no form for operators", path)
		}
	}
	for _, path := range []string{"/settings/platforms/tourcms", "/settings/platforms/wink"} {
		if hasForm(cut(b.get(path).is(http.StatusOK).text, "<main")) || !hasForm(cut(operator.get(path).text, "<main")) {
			t.Errorf("%s offers staff something to change, or operators nothing", path)
		}
	}
}

// A token that is in use ends with the click that revokes it, though it is remembered for a second.
func TestRevokedAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	text := s.token(s.account.ID)
	tokens, err := s.store.Tokens(t.Context(), s.account.ID)
	s.check(err)
	b := s.signIn(anna)
	call := func() page {
		request := b.request(http.MethodGet, "/api/v1/account", "")
		request.Header.Set("Authorization", "Bearer "+text)
		return b.do(request)
	}
	call().is(http.StatusOK)
	b.post("/settings/tokens/"+tokens[0].ID.String()+"/revoke", nil).is(http.StatusSeeOther)
	call().is(http.StatusUnauthorized)
}

func hasForm(page string) bool {
	return strings.Contains(page, "<form") || strings.Contains(page, "<button") || strings.Contains(page, "<input")
}

// TestGuessesInSettings: whoever sits at somebody's browser cannot try passwords
// without end, and a correct one forgives the mistakes before it.
func TestGuessesInSettings(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const better = "another boat on the river"
	change := func(b *browser, current, password string) page {
		return b.post("/settings/password", url.Values{"current": {current}, "password": {password}})
	}
	b := s.signIn(anna)
	for range 9 {
		change(b, "guess", better).is(http.StatusUnprocessableEntity).has("This is not your password.")
	}
	change(b, password, better).is(http.StatusSeeOther)
	for range 10 {
		change(b, "guess", better).is(http.StatusUnprocessableEntity)
	}
	change(b, better, password).is(http.StatusTooManyRequests).has("Too many wrong passwords. Wait 15 minutes.")
	change(s.signIn(berta), "guess", better).is(http.StatusUnprocessableEntity) // counted for each user
	s.anonymous().post("/login", url.Values{"email": {anna}, "password": {better}}).is(http.StatusSeeOther)
}
