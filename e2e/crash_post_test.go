package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// post has booking platforms send their own webhooks. What got no success is sent again, as a platform would, and now
// and then what got one, too: neither may make a second event.
type post struct {
	*crash
	well    atomic.Bool       // TourCMS's API always answers
	address map[string]string // where each platform sends
	bodies  map[string]string // what it sends

	mu      sync.Mutex
	letters []*letter
}

// letter is what a platform sends, once or more often.
type letter struct {
	platform, mark, booking  string
	address, body            string
	synchronous              bool // TourCMS asks before it confirms the booking
	tries, confirmed, denied int  // and how often it was answered, with 200 and with 502
	id                       string
	span
}

// afresh is for how long a platform sends the same again. TourCMS's count as the same for a minute.
const afresh = int64(30 * time.Second)

// The platforms, how they name a notification and a booking in what they send in the tests of platforms/, and what the
// key of TourCMS is.
var platformBodies = map[string]struct{ file, mark, booking string }{
	"prioticket": {"prioticket/testdata/read/order-create.json", "6f1e2c1a-0d7b-4c52-9a53-2f8f6f2b9d10", "1000000000001"},
	"ltd":        {"ltd/testdata/read/transaction.json", "5b1d7a90-2c64-4f8e-8a53-0e9c4d6f7b21", "LTD-0012345"},
	"wink":       {"wink/testdata/read/booking-create.json", "ev-1", "WNK-1"},
	"tourcms":    {"tourcms/testdata/inline.xml", "", "1234"},
}

const tourcmsKeyText = "key-of-3930"

// newPost switches the platforms on, and has TourCMS's API answer.
func newPost(c *crash) *post {
	t := c.op.t
	t.Helper()
	p := &post{crash: c, address: map[string]string{}, bodies: map[string]string{}}
	for platform, body := range platformBodies {
		p.address[platform] = strings.TrimSpace(c.op.run("", "platform", "on", "--account", c.op.Number, platform))
		text, err := os.ReadFile("../platforms/" + body.file)
		must(t, err)
		p.bodies[platform] = string(text)
	}
	api := httptest.NewServer(http.HandlerFunc(p.tellBooking))
	t.Cleanup(func() {
		api.CloseClientConnections()
		api.Close()
	})
	p.setKey(api.URL)
	return p
}

// setKey stores the key of TourCMS's API as a person does, without a browser.
func (p *post) setKey(api string) {
	t := p.op.t
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	person := &http.Client{Jar: jar, Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, form := range []struct {
		path   string
		fields url.Values
	}{
		{"/login", url.Values{"email": {p.op.person}, "password": {password}}},
		{"/settings/platforms/tourcms/settings", url.Values{"api_key": {"3930=" + tourcmsKeyText}, "api_url": {api}}},
	} {
		response, err := person.PostForm(p.op.URL+form.path, form.fields)
		must(t, err)
		text, err := io.ReadAll(response.Body)
		must(t, err)
		must(t, response.Body.Close())
		if response.StatusCode != http.StatusSeeOther {
			t.Fatalf("%s: got %d, want 303: %s", form.path, response.StatusCode, text)
		}
	}
}

// tellBooking is TourCMS's API, which is slow or fails at random, until it is well.
func (p *post) tellBooking(w http.ResponseWriter, r *http.Request) {
	p.bell.ring(aLookup)
	switch n := p.dice.n(24); {
	case p.well.Load():
	case n == 0:
		http.Error(w, "down", http.StatusBadGateway)
		return
	case n == 1:
		hangUp(w, true)
		return
	case n < 8:
		time.Sleep(p.dice.millis(0, 300))
	}
	booking := r.URL.Query().Get("booking_id")
	fmt.Fprintf(w, `<response><error>OK</error><booking><booking_id>%s</booking_id><components><component><product_id>%s</product_id></component></components></booking></response>`,
		booking, tourOf(booking))
}

// tourOf is the tour of a booking of TourCMS.
func tourOf(booking string) string { return "1" + booking[len(booking)-1:] }

// one sends a letter.
func (p *post) one(client *http.Client) {
	l := p.pick()
	r, err := p.send(client, l)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil && l.synchronous && r.Status == http.StatusBadGateway && r.Header.Get("Content-Type") == "text/plain; charset=utf-8":
		l.denied++
	case err == nil && r.Status == http.StatusOK:
		p.bell.ring(anAnswer)
		p.note(l, r)
	default:
		p.load.failed(r, err)
	}
}

// note compares what was answered with what was answered before.
func (p *post) note(l *letter, r reply) {
	if l.confirmed++; l.confirmed == 1 {
		l.answered = p.history.now()
	}
	if l.synchronous {
		return // what it got is the receiver's answer
	}
	var answer struct{ ID string }
	if err := json.Unmarshal(r.Body, &answer); err != nil || answer.ID == "" || l.id != "" && l.id != answer.ID {
		p.op.t.Errorf("%s sent %s: got %s, want an id, and the same for the same (%s)", l.platform, l.mark, r.Body, l.id)
	}
	l.id = answer.ID
}

// pick takes a letter that was sent before, or writes one.
func (p *post) pick() *letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.history.now()
	recent := p.letters[max(0, len(p.letters)-20):]
	recent = slices.DeleteFunc(slices.Clone(recent), func(l *letter) bool { return now-l.called > afresh })
	again := slices.IndexFunc(recent, func(l *letter) bool { return l.confirmed+l.denied == 0 })
	if again < 0 && len(recent) > 0 && p.dice.n(8) == 0 {
		again = p.dice.n(len(recent))
	}
	if again >= 0 && p.dice.n(3) > 0 {
		recent[again].tries++
		return recent[again]
	}
	l := p.write([]string{"tourcms", "tourcms", "tourcms", "prioticket", "ltd", "wink"}[p.dice.n(6)])
	l.tries, l.called = 1, now
	p.letters = append(p.letters, l)
	return l
}

// write makes a letter with a mark of its own. Some have a booking in common.
func (p *post) write(platform string) *letter {
	n := len(p.letters)
	l := &letter{platform: platform, mark: fmt.Sprintf("letter-%d.", n), booking: strconv.Itoa(500_000 + n), address: p.op.URL + p.address[platform]}
	if p.dice.n(2) == 0 {
		l.booking = strconv.Itoa(100_000 + n/30*10 + p.dice.n(2))
	}
	l.synchronous = platform == "tourcms" && p.dice.n(3) == 0
	of := platformBodies[platform]
	if platform != "tourcms" {
		l.booking = of.booking[:3] + l.booking
		l.body = strings.NewReplacer(of.mark, l.mark, of.booking, l.booking).Replace(p.bodies[platform])
		return l
	}
	event := []string{"cancelled", "redeem_voucher", "new_confirmed_staff"}[p.dice.n(3)]
	if l.synchronous {
		event = "new_confirmed_web"
		l.body = p.signedXML(strings.NewReplacer(of.booking, l.booking, "4069", p.op.Number).Replace(p.bodies[platform]), l.booking)
	}
	l.address += "?event=" + event + "&account_id=" + p.op.Number + "&account_name=Tallinn%20%26%20Tartu%20Tours&channel_id=3930&booking_id=" + l.booking + "&mark=" + l.mark
	return l
}

// signedXML signs the document about a booking, as TourCMS does.
func (p *post) signedXML(document, booking string) string {
	mac := hmac.New(sha256.New, []byte(tourcmsKeyText))
	mac.Write([]byte(booking + "|3930|" + p.op.Number + "|2"))
	before, _, _ := strings.Cut(document, "<signed>")
	return before + "<signed><algorithm>SHA256</algorithm><hash_fields>booking/booking_id booking/channel_id booking/account_id booking/status" +
		"</hash_fields><hash>" + hex.EncodeToString(mac.Sum(nil)) + "</hash></signed></response>"
}

func (p *post) send(client *http.Client, l *letter) (reply, error) {
	method, contentType := http.MethodPost, "application/json"
	if l.platform == "tourcms" {
		contentType = "text/xml"
	}
	if l.body == "" {
		method = http.MethodGet
	}
	request, err := http.NewRequest(method, l.address, strings.NewReader(l.body))
	if err != nil {
		return reply{}, err
	}
	if l.body != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header, answer}, err
}
