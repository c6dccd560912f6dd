package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"bookhook/webhook"
)

// TestLimitsOnPages fills everything that an account may have only so many of, and
// wants forms to say so, to keep what was typed and to work again after a removal.
func TestLimitsOnPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	b := s.signIn(anna)
	for _, f := range []struct {
		path   string
		form   url.Values
		says   string
		typed  []string
		remove func()
	}{
		{
			"/settings/tokens",
			url.Values{"name": {"One too many"}},
			"has 100 API tokens and may have 100. Revoke one",
			[]string{`value="One too many"`},
			func() {
				s.check(s.store.RevokeToken(t.Context(), s.account.ID, must(s, s.store.Tokens, s.account.ID)[0].ID, change()))
			},
		},
		{
			"/settings/clients",
			url.Values{"name": {"One too many"}},
			"has 50 clients and may have 50. Revoke one",
			[]string{`value="One too many"`},
			func() {
				s.check(s.store.RevokeClient(t.Context(), s.account.ID, must(s, s.store.Clients, s.account.ID)[0].ID, change()))
			},
		},
		{
			"/settings/people",
			url.Values{"email": {"extra@example.com"}, "role": {"operator"}},
			"has 200 people and may have 200. Remove somebody",
			[]string{`value="extra@example.com"`, `value="operator" checked`},
			func() {
				s.check(s.store.RemoveUser(t.Context(), s.account.ID, must(s, s.store.Users, s.account.ID)[50].ID, change()))
			},
		},
		{
			"/channels",
			url.Values{"id": {"extra"}, "name": {"Extra"}},
			"has 10000 channels in use and may have 10000; these would be 1 too many. Nothing was changed. Retire",
			[]string{`value="extra"`, `value="Extra"`},
			func() {
				s.check(s.store.RetireItem(t.Context(), s.account.ID, webhook.Channels, "n0", true, change()))
			},
		},
		{
			"/tours/import",
			url.Values{"text": {"extra,Extra\nmore,More"}},
			"has 19999 tours in use and may have 20000; these would be 1 too many. Nothing was changed. Retire",
			[]string{"extra,Extra\nmore,More"},
			func() {
				s.check(s.store.RetireItem(t.Context(), s.account.ID, webhook.Tours, "n0", true, change()))
			},
		},
	} {
		b.post(f.path, f.form).is(http.StatusUnprocessableEntity).has(f.says).has(f.typed...)
		f.remove()
		if again := b.post(f.path, f.form); again.status != http.StatusCreated && again.status != http.StatusSeeOther {
			t.Errorf("%s with room again: got %d", f.path, again.status)
		}
	}
	if _, err := s.store.Item(t.Context(), s.account.ID, webhook.Tours, "more"); err != nil {
		t.Error(err)
	}
}

// fill uses up the limits of the account, but one tour.
func (s *site) fill() {
	s.Helper()
	for n := len(must(s, s.store.Tokens, s.account.ID)); n < webhook.MaxTokens; n++ {
		s.token(s.account.ID)
	}
	for n := len(must(s, s.store.Clients, s.account.ID)); n < webhook.MaxClients; n++ {
		s.access(s.account.ID)
	}
	for n := len(must(s, s.store.Users, s.account.ID)); n < webhook.MaxPeople; n++ {
		s.addUser(fmt.Sprintf("p%d@example.com", n), s.account.ID, webhook.RoleStaff)
	}
	s.fillItems(webhook.Channels, webhook.MaxChannelsInUse)
	s.fillItems(webhook.Tours, webhook.MaxToursInUse-1)
}

func (s *site) fillItems(kind webhook.ItemKind, n int) {
	s.Helper()
	items := make([]webhook.Item, n)
	for i := range items {
		items[i] = webhook.Item{ID: fmt.Sprint("n", i), Name: fmt.Sprintf("Tour to the island number %d", i)}
	}
	s.putItems(kind, items...)
}

// TestDraftLimit: at the limit the list shows all drafts, unchanged ones too, to
// discard one; what is typed into them is still saved.
func TestDraftLimit(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	first := b.post("/webhooks/new", nil).is(http.StatusSeeOther).location
	b.get("/webhooks").lacks("Discard draft") // nobody changed it
	for range webhook.MaxDrafts - 1 {
		_, err := s.store.SaveDraft(t.Context(), webhook.Draft{Account: s.account.ID, Owner: berta}, time.Now())
		s.check(err)
	}
	c := s.signIn(berta)
	full := c.post("/webhooks/new", nil).is(http.StatusConflict).has("has 100 drafts and may have 100. Finish or discard one").has(first)
	if n := strings.Count(full.text, "Discard draft"); n != webhook.MaxDrafts {
		t.Errorf("got %d drafts to discard, want all", n)
	}
	b.post(first, url.Values{"type": {"async"}}).is(http.StatusSeeOther)
	c.post(strings.TrimSuffix(first, "type")+"delete", nil).is(http.StatusSeeOther)
	c.post("/webhooks/new", nil).is(http.StatusSeeOther)
}

// TestCheckLimit: what lets Bookhook call an address of somebody's choice is limited,
// for all people of the account together, and what was typed stays.
func TestCheckLimit(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	w := s.hook(nowhere, func(*webhook.Webhook) {})
	draft := strings.TrimSuffix(b.post("/webhooks/"+w.ID.String()+"/edit", nil).is(http.StatusSeeOther).location, "/review")
	check := url.Values{"url": {nowhere}}
	b.post(draft+"/check-url", check).is(http.StatusOK).lacks("times a minute")
	for range webhook.MaxChecks {
		_ = s.store.CountCheck(t.Context(), s.account.ID, time.Now().Add(time.Minute))
	}
	const says = "Your account has used its 30 checks and tests of this minute. Nothing was sent, and nothing is lost: go on, or try again in "
	b.post(draft+"/check-url", check).is(http.StatusOK).has(says)
	b.post(draft+"/check-url", url.Values{"url": {"ftp://x"}}).is(http.StatusOK).lacks("times a minute") // needs no call
	b.post(draft+"/test", nil).is(http.StatusTooManyRequests).has(says).has(w.URL)
	p := s.signIn(staff).post("/webhooks/"+w.ID.String()+"/test", nil).is(http.StatusSeeOther)
	if p.location != "/webhooks/"+w.ID.String() {
		t.Errorf("a refused test leads to %s", p.location)
	}
	sent, err := s.store.Deliveries(t.Context(), s.account.ID, webhook.DeliveryFilter{Limit: 9})
	if err != nil || len(sent.Rows) != 0 {
		t.Errorf("a refused test was sent: %v, %v", sent.Rows, err)
	}
	if len(s.leave(webhook.Event{BookingID: "1"})[0].Decisions) != 1 { // no limit refuses an event
		t.Error("the event was not accepted")
	}
}

// TestWizardWithManyTours: with as many tours as an account may have, the step stays
// small, and a search without JavaScript finds every tour and loses no selection.
func TestWizardWithManyTours(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	s.fillItems(webhook.Tours, webhook.MaxToursInUse-2) // and the two of the wizard
	b := s.signIn(anna)
	draft := b.begin()
	b.walk(draft, webhook.StepTours)
	start := time.Now()
	p := b.get(draft + "/tours").is(http.StatusOK).has("The first 500 of 20,000 are listed")
	took := time.Since(start)
	t.Logf("%d KiB in %v", len(p.text)>>10, took)
	if len(p.text) > 300<<10 {
		t.Errorf("the step has %d bytes, want at most 300 KiB", len(p.text))
	}
	selected := func() []string {
		drafts := must(s, s.store.Drafts, s.account.ID)
		return drafts[0].Tours.IDs
	}
	search := func(p page, text string, ticked ...string) page {
		shown := p.find(`name="tours_shown" value="([^"]*)"`)
		return b.post(draft+"/tours", url.Values{"tours_mode": {"include"}, "tours": ticked, "tours_shown": {shown}, "find": {"1"}, "search": {text}, "tours_paste": {""}})
	}
	p = search(p, "number 19,997", "15").is(http.StatusOK).has("Nothing matches your search.")
	p = search(p, "NUMBER 19997").is(http.StatusOK).has("1 of 20,000 match your search.", `value="n19997"`).lacks(`value="n19996"`)
	p = search(p, "number 1234", "n19997").is(http.StatusOK).has("11 of 20,000 match", "2 selected. Those are kept while you search.")
	if got := selected(); !slices.Equal(got, []string{"15", "n19997"}) {
		t.Errorf("got %v selected, want what was ticked in two searches", got)
	}
	p = search(p, "night", "n12345").is(http.StatusOK).has(`value="15" checked`)
	shown := p.find(`name="tours_shown" value="([^"]*)"`)
	b.post(draft+"/tours", url.Values{"tours_mode": {"include"}, "tours_shown": {shown}}).is(http.StatusSeeOther) // unticks the one
	if got := selected(); !slices.Equal(got, []string{"n12345", "n19997"}) {
		t.Errorf("got %v selected, want all but the one that was unticked", got)
	}
	b.get(draft+"/tours").has(`value="n12345" checked`, `value="n19997" checked`) // the chosen ones come first
	if len(b.get("/tours").is(http.StatusOK).text) > 300<<10 {
		t.Error("the list of tours is too long")
	}
}

// TestManyAccounts: the list of accounts pages, and a refused form stands on the page
// with its account.
func TestManyAccounts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var last webhook.Account
	for n := range 60 {
		last = s.addAccount(webhook.Account{Number: int64(5001 + n), Name: fmt.Sprint("Operator ", n), TimeZone: "UTC"})
	}
	b := s.signIn(admin)
	first := b.get("/admin/accounts").is(http.StatusOK).has("Operator 47").lacks("Operator 48")
	next := first.find(`href="(/admin/accounts\?after=[^"]*)"`)
	b.get(next).is(http.StatusOK).has("Operator 48", "Operator 59", "First page").lacks("Operator 47", "Next page")
	b.post("/admin/accounts/"+last.ID.String()+"/limit", url.Values{"limit": {"many"}}).is(http.StatusUnprocessableEntity).has("Operator 59", `value="many"`)
}
