package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

func TestWizardRefusesNameAndURL(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	long := "https://example.com/" + strings.Repeat("x", 2980)
	p := a.as(t, operator, pageOptions{})
	p.visit(a.URL + "/webhooks/new")
	p.goesOn("name")
	for _, tt := range []struct{ name, url, want string }{
		{"", "https://example.com/hook", "Enter a name."},
		{strings.Repeat("🎟", 101), "https://example.com/hook", "Use at most 100 characters."},
		{"No URL", "", "Enter the URL to call"},
		{"No scheme", "example.com/hook", "Begin the URL with https://"},
		{"FTP", "ftp://example.com/hook", "Bookhook calls https:// and http:// URLs only, not ftp://."},
		{"Script", "javascript:alert(1)", "Begin the URL with https://"},
		{"No host", "https:///hook", "The URL names no host"},
		{"User", "https://ada:secret@example.com/", "Remove the user name and password from the URL"},
		{"Port 0", "https://example.com:0/", "The port must be a number from 1 to 65535."},
		{"Long", long, "more than 2000 characters"},
		{"Fragment", "https://example.com/?a=b#c", "Remove the part of the URL from # on"},
		{"Space", "https://example.com/a b", "A URL cannot contain spaces"},
		{"Private", "http://10.0.0.1/hook", "10.0.0.1"},
		{"Loopback", "http://[::1]/hook", "::1"},
		{"Metadata", "http://169.254.169.254/latest", "169.254.169.254"},
		{`<b>"Quoted"</b> & ’`, `https://exa"mple.com/<script>`, "is not a host name"},
	} {
		p.fill("Name", tt.name)
		p.fill("URL", tt.url)
		p.choose("Signed JSON")
		p.refused("Continue", tt.want)
		p.holds("Name", tt.name)
		p.holds("URL", tt.url)
		p.chosen("Signed JSON")
	}

	// The summary leads to the field, the field says what is wrong with it, and the rest of the way stays shut.
	must(t, p.Locator(".problems a").First().Click())
	if got := p.focused(); got != "f-url" {
		t.Errorf("focus after the link of the summary: got %q, want f-url", got)
	}
	if title, err := p.Title(); err != nil || !strings.HasPrefix(title, "Error: ") {
		t.Errorf("title: got %q, %v, want one that begins with Error:", title, err)
	}
	p.visit(p.draft() + "/review")
	p.isAt("/name$")
	p.holds("Name", `<b>"Quoted"</b> & ’`) // also what was wrong was kept
}

func TestWizardTakesUnusualURLs(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	p := a.as(t, operator, pageOptions{})
	for i, url := range []string{
		"https://bücher.example/🎟?naïve=yes&empty=", "http://user.example:8080/a%20b;c=1/../?x=[1]&x=2", "https://1.1.1.1/",
	} {
		p.beginWebhook(a.URL, fmt.Sprintf("Emoji 👩‍👩‍👧 %d", i), url)
		p.leaveAllOpen()
		p.says("When a booking is confirmed or is cancelled, on any channel, for any tour, call " + url + ".")
		p.press("Create webhook")
		p.sees(fmt.Sprintf("“Emoji 👩‍👩‍👧 %d” is on", i))
		if got := a.hooks(t); got[0].URL != url && got[len(got)-1].URL != url {
			t.Errorf("URL: got %+v, want %s kept as it was typed", got, url)
		}
	}
}

func TestWizardRefusesOtherSteps(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	p := a.as(t, operator, pageOptions{})
	p.visit(a.URL + "/webhooks/new")
	p.opens("Advanced")
	for _, number := range []string{"0", "257", "many", "-1", "1.5", ""} {
		p.fill("Requests at once", number)
		p.refused("Continue", "Choose a number from 1 to 256.")
		p.holds("Requests at once", number)
	}
	p.fill("Requests at once", "256")
	p.goesOn("name")
	p.fill("Name", "Accounting")
	p.fill("URL", "https://example.com/hook")
	p.goesOn("events")

	for _, event := range []string{"New confirmed booking (staff)", "New confirmed booking (web/API)", "Booking cancelled"} {
		p.unchoose(event)
	}
	p.refused("Continue", "Choose at least one event, or all events.")
	p.notChosen("Booking cancelled")
	p.choose("Voucher redeemed")
	p.goesOn("channels")

	p.choose("Only selected channels")
	p.sees("Your account has no channels yet.")
	p.refused("Continue", "Choose at least one channel, or all channels.")
	p.chosen("Only selected channels")
	p.choose("All channels")
	p.goesOn("tours")

	for _, mode := range []string{"Only these tours", "All except these tours"} {
		p.choose(mode)
		p.refused("Continue", "Choose at least one tour, or all tours.")
		p.chosen(mode)
	}
	p.opens("Paste a list of ids")
	p.fill("Tour ids", "12 💥 15")
	p.refused("Continue", "12, 15, 💥")
	p.holds("Tour ids", "12 💥 15")
	p.choose("All tours")
	p.goesOn("review")
	p.says("When a booking has a voucher redeemed on any channel, for any tour, call https://example.com/hook.")

	// What became wrong after its step was passed is said on the review, with the way there.
	if got := p.post(p.draft()+"/events", map[string]any{"events": "no_such_event"}); got != 422 {
		t.Errorf("an event that does not exist: got %d, want 422", got)
	}
	p.visit(p.draft() + "/review")
	p.isAt("/events$")
}

// The URL is looked at as its field is left.
func TestWizardChecksURL(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	in := receiver(t)
	p := a.as(t, operator, pageOptions{})
	p.visit(a.URL + "/webhooks/new")
	p.goesOn("name")
	check := func(url, want string) {
		t.Helper()
		p.fill("URL", url)
		must(t, p.labelled("URL").Press("Tab"))
		must(t, expect.Locator(p.Locator("[data-check] .check")).ToContainText(want))
	}
	check(in.URL, "The receiver answers.")
	if got := in.next(t); got.Method != "HEAD" {
		t.Errorf("the check called with %s, want HEAD", got.Method)
	}
	in.answers(503)
	check(in.URL+"/down", "it answered an empty request with 503")
	in.answers(410)
	check(in.URL+"/gone", "The receiver answers 410 Gone.")
	check(nobody(t), "the connection was refused")
	check("ftp://example.com/", "URLs only, not ftp://")
	check("http://192.168.0.1/", "192.168.0.1")
	p.fill("Name", "Typo")
	check("http://no-such-host.invalid/", "no-such-host.invalid")
	p.goesOn("events")
	p.leaveAllOpen()
	checked := p.Locator("[data-checked]")
	must(t, expect.Locator(checked).ToBeVisible())
	must(t, expect.Locator(checked).ToContainText("no-such-host.invalid"))
	p.follow("Change name and url")
	check(in.URL, "410 Gone")
}

// Whoever was signed out meanwhile sees why, and keeps what was typed.
func TestWizardChecksURLSignedOut(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	p := a.as(t, operator, pageOptions{})
	p.visit(a.URL + "/webhooks/new")
	p.goesOn("name")
	must(t, p.Context().ClearCookies())
	p.fill("URL", "https://example.com/hook")
	must(t, p.labelled("URL").Press("Tab"))
	answer := p.Locator("[data-check] .check")
	must(t, expect.Locator(answer).ToHaveText("You are signed out. Sign in again (in a new tab), then go on here."))
	must(t, expect.Locator(answer.Locator("a")).ToHaveAttribute("href", "/login"))
	p.holds("URL", "https://example.com/hook")
}

// nobody is a URL at which nothing listens.
func nobody(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	return "http://" + listener.Addr().String() + "/"
}
