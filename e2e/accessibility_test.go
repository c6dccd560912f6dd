package e2e

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// looks checks a page as it stands: valid HTML (at the end of all tests), nothing for axe on a desktop in either theme and, with all unfolded, on a phone, where
// the colours are the same; and nothing that sticks out of a phone's screen.
func (p *page) looks() {
	p.t.Helper()
	p.keepHTML()
	axe(p.t, p)
	must(p.t, p.SetViewportSize(390, 844))
	p.fits()
	p.unfold()
	found, err := violations(p)
	must(p.t, err)
	for _, v := range found {
		p.t.Errorf("axe, phone, %s: %s", p.URL(), v)
	}
	p.evaluate(`document.querySelectorAll("details.confirm").forEach((box) => box.open = false)`)
	must(p.t, p.SetViewportSize(1280, 800))
}

// unfold opens everything that is folded away, and checks that boxes that ask fit: one of these is open at a time.
func (p *page) unfold() {
	p.t.Helper()
	p.evaluate(`document.querySelectorAll("main details:not(.confirm)").forEach((part) => part.open = true)`)
	p.fits()
	for i := range 3 {
		opened := p.evaluate(`new Promise((done) => {
			const box = document.querySelectorAll("details.confirm")[` + strconv.Itoa(i) + `];
			if (!box || box.open) return done(false);
			box.addEventListener("toggle", () => done(true), {once: true});
			box.open = true;
		})`)
		if opened == true {
			p.fits()
		}
	}
}

func (p *page) evaluate(script string) any {
	p.t.Helper()
	result, err := p.Evaluate(script)
	must(p.t, err)
	return result
}

// walk looks at the pages, each of which must have the status.
func (p *page) walk(site string, status int, paths ...string) {
	p.t.Helper()
	for _, path := range paths {
		if got := p.visit(site + path); got != status {
			p.t.Errorf("%s: got %d, want %d", path, got, status)
		}
		p.looks()
	}
}

var everyList = []string{
	"/", "/webhooks", "/deliveries", "/events", "/stats", "/stats?period=30d", "/replays", "/replays/new", "/reconcile", "/search", "/search?q=nothing", "/channels", "/tours",
	"/settings", "/settings/notices", "/settings/account", "/settings/platforms", "/settings/platforms/tourcms", "/settings/platforms/wink", "/settings/rejected", "/settings/people", "/settings/tokens", "/settings/activity",
}

func TestHarnessNoticesWhatSticksOut(t *testing.T) {
	t.Parallel()
	p := newPage(t, pageOptions{})
	must(t, p.SetViewportSize(390, 844))
	p.visit(brokenSite(t) + "/good")
	if got := p.sticksOut(); got != "" {
		t.Errorf("a page that fits: got %q", got)
	}
	p.evaluate(`document.querySelector("main").insertAdjacentHTML("beforeend", "<p id=wide>" + "wide".repeat(99))`)
	if got := p.sticksOut(); !strings.Contains(got, "id=\"wide\"") {
		t.Errorf("a page that is too wide: got %q, want the paragraph", got)
	}
}

func TestAccessibilityBefore(t *testing.T) {
	t.Parallel()
	srv := startServer(t)
	p := newPage(t, pageOptions{})
	p.walk(srv.URL, http.StatusConflict, "/login")
	p.walk(srv.URL, http.StatusForbidden, "/setup?token=wrong")
	p.visit(srv.setupLink())
	p.looks()
	p.refused("Create account")
	p.looks()
	p.fill("Company name", strings.Repeat("Wanderlust", 10)) // as long as a name can be, and no place to break it
	p.fill("Your e-mail address", strings.Repeat("someone", 9)+"@example.com")
	p.fill("Password", password)
	p.press("Create account")
	p.isAt("/$")
	p.looks() // with the welcome
	p.walk(srv.URL, http.StatusOK, everyList...)
	p.walk(srv.URL, http.StatusOK, "/admin", "/admin/accounts", "/admin/stats")
	p.walk(srv.URL, http.StatusNotFound, "/nothing", "/webhooks/whk_0")
	p.walk(srv.URL, http.StatusOK, "/deliveries?state=failed&booking_id=1", "/events?booking_id=1")
	p.press("Sign out")
	p.isAt("/login$")
	p.looks()
	p.refused("Sign in")
	p.looks()
	p.walk(srv.URL, http.StatusNotFound, "/static/nothing")
}

func TestAccessibilityOfWizard(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	p := a.as(t, operator, pageOptions{})
	p.visit(a.URL + "/webhooks/new")
	p.looks()
	p.opens("Advanced")
	p.fill("Requests at once", "0")
	p.refused("Continue")
	p.looks()
	p.fill("Requests at once", "1")
	p.goesOn("name")
	p.looks()
	p.refused("Continue")
	p.looks()
	p.fill("Name", strings.Repeat("🎟 Wanderlust", 8))
	p.fill("URL", "https://example.com/"+strings.Repeat("x", 1900))
	p.goesOn("events")
	p.looks()
	for _, event := range []string{"New confirmed booking (staff)", "New confirmed booking (web/API)", "Booking cancelled"} {
		p.unchoose(event)
	}
	p.refused("Continue")
	p.looks()
	p.choose("All events")
	p.looks()
	p.goesOn("channels")
	p.looks()
	p.choose("Only selected channels")
	p.refused("Continue")
	p.looks() // without any channel to choose

	a.addLists(t)
	p.reload()
	p.choose("Only selected channels")
	p.choose("Viator")
	p.looks()
	p.goesOn("tours")
	p.looks()
	p.choose("All except these tours")
	p.refused("Continue")
	p.choose("Night Walk")
	p.looks()
	p.goesOn("review")
	p.looks()
	p.walk(a.URL, http.StatusOK, "/webhooks") // with a draft
	p.follow("Continue " + strings.TrimSpace(strings.Repeat("🎟 Wanderlust", 8)))
	p.press("Create webhook")
	p.isAt("/webhooks/whk_[^/]+/signing$")
	p.looks() // with the secret
	p.opensTab("Overview")
	p.looks() // with what is left to do

	p.opensTab("Settings")
	p.press("Edit")
	p.isAt("/review$")
	p.looks()
	must(t, p.Context().ClearCookies()) // and somebody else
	p.walk(a.URL, http.StatusOK, "/login?next=/webhooks")
}

func TestAccessibilityOfForms(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	a.run(password+"\n", "user", "add", "--email", "root@example.com", "--role", "admin", "--account", a.Number)
	p := a.as(t, "root@example.com", pageOptions{})
	for _, form := range []struct{ path, open, fill, value, button string }{
		{"/channels", "Add a channel", "Id", "a b", "Add channel"},
		{"/tours", "Import a list", "Paste a list", "1,One\n" + strings.Repeat("long", 100) + "\n1,Two", "Import tours"},
		{"/settings", "", "New password", "short", "Change password"},
		{"/settings/account", "", "Name", "", "Save account"},
		{"/settings/people", "", "E-mail", strings.Repeat("nobody", 40), "Add person"},
		{"/settings/tokens", "", "Name", "", "Create token"},
		{"/admin/accounts", "", "Company name", "", "Add account"},
		{"/admin/accounts", "Change limit of Ada Tours", "Webhook limit", "-1", "Change limit"},
		{"/admin/accounts", "Add user to Ada Tours", "E-mail", "nobody", "Add user"},
	} {
		p.visit(a.URL + form.path)
		if form.open != "" {
			p.opens(form.open)
		}
		p.fill(form.fill, form.value)
		p.refused(form.button)
		p.looks()
	}
	p.visit(a.URL + "/settings/people")
	p.fill("E-mail", "tim@example.com")
	p.press("Add person")
	p.sees("Password of")
	p.looks()
	p.visit(a.URL + "/settings/tokens")
	p.fill("Name", "TourCMS bridge")
	p.press("Create token")
	p.sees("The new token")
	p.looks()
	p.walk(a.URL, http.StatusOK, "/settings/tokens", "/settings/activity", "/settings/people", "/admin/accounts")

	p.visit(a.URL + "/deliveries?since=yesterday&state=lost")
	p.looks()

	s := a.as(t, staff, pageOptions{})
	s.walk(a.URL, http.StatusOK, everyList...)
	s.walk(a.URL, http.StatusForbidden, "/webhooks/new")
}

// answersWide answers with a header and a body that have no place to break them.
func (in *inbox) answersWide() {
	in.answerWith(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Wide", strings.Repeat("wide", 100))
		io.WriteString(w, `{"answer":"`+strings.Repeat("wide", 300)+`"}`) //nolint:errcheck // the sender sees it
	})
}

// The log with deliveries in every state, and the pages of each.
func TestAccessibilityOfLog(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	op.items("channels", "3930 Website", "3931 "+strings.Repeat("Wanderlust", 10))
	op.items("tours", "12 Harbour Walk", "15 "+strings.Repeat("Nachtwanderung", 7))
	in := receiver(t)
	in.answersWide()
	down, gone, stuck := receiver(t), receiver(t), receiver(t)
	down.answers(503)
	gone.answers(410)
	stuck.hangs()
	hooks := []target{
		op.webhook(strings.Repeat("Accounting", 10), in.URL+"/"+strings.Repeat("x", 500), nil),
		op.webhook("Mail", down.URL, map[string]any{"format": "native"}),
		op.webhook("Old partner", gone.URL, nil),
		op.webhook("Slow partner", stuck.URL, nil),
		op.webhook("Deleted", in.URL, nil),
		op.webhook("Picky", in.URL, map[string]any{"channels": filter{"include", []string{"3931"}}}),
	}
	e := op.event(map[string]any{
		"id": strings.Repeat("id", 40), "type": "new_confirmed_web", "channel_id": "3930", "tour_ids": []string{"12", "15"},
		"booking_id": strings.Repeat("B", 60), "occurred_at": "2026-11-21T09:00:00Z",
		"data": map[string]any{"wide": strings.Repeat("wide", 300), "emoji": "👩‍👩‍👧"},
	})
	delivered, failing, failed, sending := e.to(hooks[0]), e.to(hooks[1]), e.to(hooks[2]), e.to(hooks[3])
	op.await(delivered, "delivered")
	op.awaitAttempts(failing, 1)
	op.await(failed, "failed")
	stuck.next(t)
	orphan := e.to(hooks[4])
	op.await(orphan, "delivered")

	p := op.as(t, operator, pageOptions{})
	p.visit(op.URL + "/webhooks/" + hooks[4].ID + "/settings")
	p.opens("Delete webhook")
	p.press("Delete permanently")
	p.sees("was deleted.")
	p.looks()
	test := p.looksAtTabs(op, hooks[0].ID)

	op.event(map[string]any{"type": "cancelled"}) // no booking, no channel, no tour; skipped by the one that is off
	cut := op.booking("cut off").to(hooks[3])
	stuck.next(t)
	op.kill9()
	op.restart()
	p.visit(op.page(failing))
	p.opens("Stop retrying")
	p.press("Stop retrying now")
	p.sees("Cancelled")

	paths := append([]string{test, "/deliveries?state=pending", "/deliveries?booking_id=nothing", "/events?booking_id=nothing"}, everyList...)
	for _, id := range []string{
		delivered, failing, failed, sending, orphan, cut, e.ID, hooks[0].ID, hooks[1].ID, hooks[2].ID, hooks[3].ID, hooks[5].ID,
	} {
		paths = append(paths, op.page(id)[len(op.URL):])
	}
	p.walk(op.URL, http.StatusOK, paths...)
}

// looksAtTabs looks at the tabs of a webhook, switches it off, renews its secret, and
// returns the path of the delivery of a test.
func (p *page) looksAtTabs(op *shop, id string) (test string) {
	p.visit(op.page(id))
	p.press("Send a test")
	p.isAt("/deliveries/dlv_")
	test = p.URL()[len(op.URL):]
	for _, tab := range []string{"/deliveries", "/deliveries?state=failed", "/settings", "/signing"} {
		p.visit(op.page(id) + tab)
		p.looks()
	}
	p.visit(op.page(id) + "/settings")
	p.press("Switch off")
	p.sees("The webhook is off.")
	p.visit(op.page(id) + "/signing")
	p.opens("Create a new secret")
	p.press("Create the new secret")
	p.sees("New signing secret")
	p.looks()
	p.press("I have stored it")
	p.sees("Stored by " + operator + " on ")
	p.looks()
	return test
}
