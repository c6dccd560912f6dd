package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
)

func TestDemo(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir) // where its database goes
	began := time.Now()
	srv := startCommand(t, "demo", "--listen", "127.0.0.1:0")
	email := srv.waitLog(regexp.MustCompile(`E-mail +(\S+)`))[1]
	password := srv.waitLog(regexp.MustCompile(`Password +(\S+)`))[1]
	token := srv.waitLog(regexp.MustCompile(`Bearer (bh_[\w-]+)`))[1]
	if open := srv.waitLog(regexp.MustCompile(`Open +(\S+)`))[1]; strings.TrimSuffix(open, "/") != srv.URL {
		t.Errorf("address to open: got %s, want %s", open, srv.URL)
	}
	p := newPage(t, pageOptions{})
	p.visit(srv.URL)
	p.fill("E-mail", email)
	p.fill("Password", password)
	p.press("Sign in")
	p.sees("Needs attention")
	p.visit(srv.URL + "/webhooks")
	p.sees("7 of 10")

	op := &shop{&account{server: srv, token: token}}
	state := func(state string, limit time.Duration) {
		t.Helper()
		eventuallyWithin(t, limit, "a delivery is "+state, func() bool {
			var list struct{ Items []delivery }
			op.ask("GET", "/deliveries?limit=1&state="+state, nil).want(t, http.StatusOK, &list)
			return len(list.Items) > 0
		})
	}
	state("delivered", patience)
	state("pending", patience)
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("two states could be seen after %s, want 15s or less", took)
	}
	state("failed", 3*patience) // when the circuit of the one that is down opens first, its last attempts are probes
	p.follow("Deliveries")
	for _, status := range []string{"Delivered", "Failed"} {
		p.selects("Status", status)
		p.press("Filter")
		must(t, expect.Locator(p.rows(status).First()).ToBeVisible())
	}
	must(t, p.rows("Failed").First().Locator("td").Last().Click(playwright.LocatorClickOptions{Force: new(true)}))
	p.sees("did not accept this event of booking")
	p.sees("4 attempts")

	op.repairsVouchers(t, p)

	// The command that it prints works, with this token.
	body := srv.waitLog(regexp.MustCompile(`--json '(.+)' \\`))[1]
	if !json.Valid([]byte(body)) {
		t.Errorf("the event to send: got %s, want JSON", body)
	}
	if e := op.event(body); len(e.Deliveries) == 0 {
		t.Errorf("got %+v, want it sent to somebody", e)
	}

	srv.stop() // in order, or the test fails
	left, err := os.ReadDir(dir)
	must(t, err)
	for _, file := range left {
		if strings.HasPrefix(file.Name(), "bookhook") {
			t.Errorf("it left %s behind", file.Name())
		}
	}
	if text := srv.log.String(); strings.Contains(text, "level=ERROR") {
		t.Errorf("it logged errors:\n%s", text)
	}
}

// repairsVouchers puts right the outage that is behind the demo.
func (o *shop) repairsVouchers(t *testing.T, p *page) {
	t.Helper()
	vouchers := o.named(t, "Vouchers")
	eventuallyWithin(t, 3*patience, "Vouchers is back", func() bool {
		var list struct{ Items []delivery }
		o.ask("GET", "/deliveries?limit=1&state=delivered&webhook_id="+vouchers, nil).want(t, http.StatusOK, &list)
		return len(list.Items) > 0
	})
	p.visit(o.URL + "/webhooks/" + vouchers)
	must(t, p.Locator("a", playwright.PageLocatorOptions{HasText: "Send everything that failed since"}).Click())
	must(t, p.Locator("button", playwright.PageLocatorOptions{HasText: "deliver"}).Last().Click())
	p.isAt(`/replays/rpl_\w+$`)
	must(t, expect.Locator(p.Locator("#progress")).ToContainText("Done"))
	p.sees(", 0 failed")
}

// A port that is taken is no reason not to show the demo.
func TestDemoBesideAnother(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	srv := startServer(t)
	beside := startCommand(t, "demo", "--listen", strings.TrimPrefix(srv.URL, "http://"))
	beside.waitLog(regexp.MustCompile("is in use; the demo takes a free port instead"))
	if beside.URL == srv.URL {
		t.Errorf("both are at %s", srv.URL)
	}
}
