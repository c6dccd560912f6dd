package e2e

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
)

// shop is an account with what the tests of deliveries need to know of it.
//
//	op := newShop(t)
//	in := receiver(t) // after the shop, so that it ends before and no request hangs while Bookhook stops
//	books := op.webhook("Accounting", in.URL, nil)
//	e := op.event(map[string]any{"type": "cancelled", "booking_id": "1234"})
//	d := op.await(e.to(books), "delivered")
//	p := op.as(t, operator, pageOptions{})
//	p.visit(op.page(d.ID))
type shop struct{ *account }

// newShop starts Bookhook with the flags, or so that it may call this machine when there are none, and makes the
// account 4069. Its name has what URLs must encode.
func newShop(t testing.TB, args ...string) *shop {
	t.Helper()
	return newShopIn(t, t.TempDir(), args...)
}

// newShopIn is newShop with the database in this folder, or the one of this URL.
func newShopIn(t testing.TB, folder string, args ...string) *shop {
	t.Helper()
	if len(args) == 0 {
		args = []string{"--allow-private-targets", "127.0.0.0/8"}
	}
	if strings.Contains(folder, "://") {
		return newFreshShop(t, folder, args...)
	}
	var made account
	preparedShop.write(t, folder, &made, func(s *server) *account { return s.shop("4069", operator).account })
	made.server = startServerIn(t, folder, args...)
	return &shop{&made}
}

// newFreshShop is newShopIn on a database that is not a copy: for what depends on how it began, or that no other one has
// its keys and ids.
func newFreshShop(t testing.TB, folder string, args ...string) *shop {
	t.Helper()
	return startServerIn(t, folder, args...).shop("4069", operator)
}

var preparedShop, preparedAccount prepared

// prepared is a database with an account, which is made once and copied: each of the commands that make
// it is a process, and passwords take their time.
type prepared struct {
	once     sync.Once
	database []byte
	account  account // without its server
}

// write writes the database into a folder, and its account.
func (p *prepared) write(t testing.TB, folder string, to *account, create func(*server) *account) {
	t.Helper()
	p.once.Do(func() {
		s := startServerIn(t, t.TempDir(), "--allow-private-targets", "127.0.0.0/8")
		p.account = *create(s)
		p.account.server = nil
		s.stop()
		database, err := os.ReadFile(s.Database)
		must(t, err)
		p.database = database
	})
	*to = p.account
	must(t, os.WriteFile(filepath.Join(folder, "bookhook.db"), p.database, 0o600))
}

// shop makes the account with this number, and its operator.
func (s *server) shop(number, person string) *shop {
	s.t.Helper()
	a := &account{server: s, Number: number, person: person}
	a.run("", "account", "add", "Tallinn & Tartu Tours", "--number", a.Number)
	a.addUser(person, "operator", a.Number)
	a.token = strings.TrimSpace(a.run("", "token", "add", "--account", a.Number, "Booking system"))
	return &shop{a}
}

// page is the address of what has this id: evt_…, dlv_… or whk_….
func (o *shop) page(id string) string {
	prefix, _, _ := strings.Cut(id, "_")
	return o.URL + map[string]string{"evt": "/events/", "dlv": "/deliveries/", "whk": "/webhooks/"}[prefix] + id
}

// reply is the answer to a call of the API.
type reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// caller makes a connection for each call: none is left over from before a crash.
var caller = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}

// ask calls the API. A body that is a string is sent as it is, any other one as JSON; nil sends none.
func (o *shop) ask(method, path string, body any) reply {
	o.t.Helper()
	r, err := o.try(caller, method, path, body)
	must(o.t, err)
	return r
}

func (o *shop) try(client *http.Client, method, path string, body any) (reply, error) {
	text, raw := body.(string)
	if body != nil && !raw {
		encoded, err := json.Marshal(body)
		if err != nil {
			return reply{}, err
		}
		text = string(encoded)
	}
	request, err := http.NewRequest(method, o.URL+"/api/v1"+path, strings.NewReader(text))
	if err != nil {
		return reply{}, err
	}
	request.Header.Set("Authorization", "Bearer "+o.token)
	if text != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header, answer}, err
}

// want ends the test unless the answer has this status, and reads it into v, which may be nil.
func (r reply) want(t testing.TB, status int, v any) {
	t.Helper()
	if r.Status != status {
		t.Fatalf("status: got %d, want %d: %s", r.Status, status, r.Body)
	}
	if v != nil {
		must(t, json.Unmarshal(r.Body, v))
	}
}

// problem is an answer of the API that refuses.
type problem struct {
	Type, Title, Detail string
	Status              int
	Errors              map[string]string
}

// refused is the problem of the answer, which must have this status.
func (r reply) refused(t testing.TB, status int) problem {
	t.Helper()
	if got := r.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type: got %q, want application/problem+json", got)
	}
	var p problem
	r.want(t, status, &p)
	if p.Status != status || p.Title == "" {
		t.Errorf("got %s, want a problem with title and status %d", r.Body, status)
	}
	return p
}

// target is a webhook with the secret that was shown when it was made.
type target struct {
	hook
	Secret    string
	OffReason string `json:"off_reason"`
}

// webhook makes one for signed JSON of all events; with says what is different, in the words of the API.
func (o *shop) webhook(name, url string, with map[string]any) target {
	o.t.Helper()
	body := map[string]any{"name": name, "url": url, "type": "async", "format": "standard", "events": []string{"*"}}
	for field, value := range with {
		body[field] = value
	}
	var h target
	o.ask("POST", "/webhooks", body).want(o.t, http.StatusCreated, &h)
	return h
}

// items puts channels or tours, each "id name".
func (o *shop) items(kind string, lines ...string) {
	o.t.Helper()
	var items []map[string]string
	for _, line := range lines {
		id, name, _ := strings.Cut(line, " ")
		items = append(items, map[string]string{"id": id, "name": name})
	}
	o.ask("PUT", "/"+kind, map[string]any{"items": items}).want(o.t, http.StatusOK, nil)
}

// accepted is an event that Bookhook took in.
type accepted struct {
	ID         string
	Deliveries []struct {
		ID      string
		Webhook string `json:"webhook_id"`
	}
	Skipped []struct {
		Webhook string `json:"webhook_id"`
		Reason  string
	}
}

// event posts an event, which must be new.
func (o *shop) event(body any) accepted {
	o.t.Helper()
	var a accepted
	o.ask("POST", "/events", body).want(o.t, http.StatusAccepted, &a)
	return a
}

// booking posts that this booking was cancelled.
func (o *shop) booking(number string) accepted {
	o.t.Helper()
	return o.event(map[string]any{"type": "cancelled", "booking_id": number})
}

// to is the id of the delivery to this webhook, "" when there is none.
func (a accepted) to(h target) string {
	for _, d := range a.Deliveries {
		if d.Webhook == h.ID {
			return d.ID
		}
	}
	return ""
}

// delivery as the API shows it.
type delivery struct {
	ID, State    string
	Event        string `json:"event_id"`
	Webhook      string `json:"webhook_id"`
	Booking      string `json:"booking_id"`
	Test         bool
	AttemptsMade int        `json:"attempts_made"`
	NextAttempt  *time.Time `json:"next_attempt_at"`
	Held         bool       // it waits for an earlier delivery of its booking
	Attempts     []struct {
		Number, Status int
		Reason, Error  string
	}
}

func (o *shop) delivery(id string) delivery {
	o.t.Helper()
	var d delivery
	o.ask("GET", "/deliveries/"+id, nil).want(o.t, http.StatusOK, &d)
	return d
}

// await asks for the delivery until it is in the state and its last attempt has ended.
func (o *shop) await(id, state string) delivery {
	o.t.Helper()
	var d delivery
	eventually(o.t, "delivery "+id+" is "+state, func() bool {
		d = o.delivery(id)
		return d.State == state && len(d.Attempts) == d.AttemptsMade
	})
	return d
}

// awaitAttempts is await for one that goes on: until this many attempts have ended.
func (o *shop) awaitAttempts(id string, n int) delivery {
	o.t.Helper()
	var d delivery
	eventually(o.t, "delivery "+id+" has "+strconv.Itoa(n)+" ended attempts", func() bool {
		d = o.delivery(id)
		return len(d.Attempts) >= n
	})
	return d
}

// eventually asks again and again until what is said is so, for what only a question can tell.
func eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	eventuallyWithin(t, patience, what, so)
}

func eventuallyWithin(t testing.TB, limit time.Duration, what string, so func() bool) {
	t.Helper()
	deadline := time.After(limit)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for !so() {
		select {
		case <-again.C:
		case <-deadline:
			t.Fatalf("not within %s: %s", limit, what)
		}
	}
}

// holds takes requests and keeps them waiting until release is called, which answers "thank you" to these and all others.
func (in *inbox) holds() (release func()) {
	answer := make(chan struct{})
	in.answerWith(func(w http.ResponseWriter, _ *http.Request) {
		select {
		case <-answer:
		case <-in.ended:
		}
		io.WriteString(w, "thank you") //nolint:errcheck // the sender sees it
	})
	return func() { close(answer) }
}

// verify checks a signature as a receiver does that knows nothing but the Standard Webhooks specification, and that of
// a GET the query is signed.
func verify(t testing.TB, r request, secret string) {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	must(t, err)
	content := r.Body
	if r.Method == http.MethodGet {
		_, query, _ := strings.Cut(r.URL, "?")
		content = []byte(query)
	}
	id, at := r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp")
	mac := hmac.New(sha256.New, key)
	mac.Write(bytes.Join([][]byte{[]byte(id), []byte(at), content}, []byte(".")))
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	if got := r.Header.Get("webhook-signature"); !slices.Contains(strings.Fields(got), want) {
		t.Errorf("signature of %s %s: got %q, want %q", r.Method, r.URL, got, want)
	}
	seconds, err := strconv.ParseInt(at, 10, 64)
	if off := time.Since(time.Unix(seconds, 0)); err != nil || off.Abs() > time.Minute {
		t.Errorf("webhook-timestamp: got %q, which is %s ago", at, off)
	}
}

// isAttempt checks which delivery and which attempt a request says that it is.
func isAttempt(t testing.TB, r request, delivery string, number int) {
	t.Helper()
	if got := r.Header.Get("webhook-id"); got != delivery {
		t.Errorf("webhook-id: got %q, want %q", got, delivery)
	}
	if got := r.Header.Get("bookhook-attempt"); got != strconv.Itoa(number) {
		t.Errorf("bookhook-attempt: got %q, want %d", got, number)
	}
}

// command runs bookhook and returns how it ended.
func command(t testing.TB, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, err strings.Builder
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env, cmd.Dir = environ(), t.TempDir()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &err
	failed := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](failed); failed != nil && !exited {
		t.Fatal(failed)
	}
	return out.String(), err.String(), cmd.ProcessState.ExitCode()
}

// selects chooses from the list with this label.
func (p *page) selects(label, option string) {
	p.t.Helper()
	_, err := p.labelled(label).SelectOption(playwright.SelectOptionValues{Labels: &[]string{option}},
		playwright.LocatorSelectOptionOptions{Timeout: limit})
	must(p.t, err)
}

// rows are the rows of the list on the page that have all texts.
func (p *page) rows(texts ...string) playwright.Locator {
	rows := p.Locator("tbody tr")
	for _, text := range texts {
		rows = rows.Filter(playwright.LocatorFilterOptions{HasText: text})
	}
	return rows
}

// lists waits until exactly n rows have the texts.
func (p *page) lists(n int, texts ...string) {
	p.t.Helper()
	must(p.t, expect.Locator(p.rows(texts...)).ToHaveCount(n))
}

// opensRow clicks on the row with these texts, not on its link but anywhere in it.
func (p *page) opensRow(texts ...string) {
	p.t.Helper()
	// Forced, because the link lies over the whole row, and a click that hits another element is held for a mistake.
	cell := p.rows(texts...).Locator("td").Last()
	must(p.t, cell.Click(playwright.LocatorClickOptions{Timeout: limit, Force: new(true)}))
}

// has waits until the text is in the one element that the selector finds.
func (p *page) has(selector, text string) {
	p.t.Helper()
	must(p.t, expect.Locator(p.Locator(selector)).ToContainText(text))
}

// hasExactly compares the whole text of the element, byte for byte, shown or folded away.
func (p *page) hasExactly(selector, want string) {
	p.t.Helper()
	got, err := p.Locator(selector).TextContent(playwright.LocatorTextContentOptions{Timeout: limit})
	must(p.t, err)
	if got != want {
		p.t.Errorf("%s:\ngot  %q\nwant %q", selector, got, want)
	}
}

// side is the request or the response of an attempt on a delivery's page.
func side(which string, n int) string {
	return `section[aria-label="` + which + strconv.Itoa(n) + `"]`
}

// Parts of a delivery's page, for side.
const (
	requestOf  = "Request of attempt "
	responseTo = "Response to attempt "
)

// named is the id of the webhook with this name.
func (o *shop) named(t testing.TB, name string) string {
	t.Helper()
	var list struct{ Items []target }
	o.ask("GET", "/webhooks", nil).want(t, http.StatusOK, &list)
	for _, w := range list.Items {
		if w.Name == name {
			return w.ID
		}
	}
	t.Fatalf("there is no webhook %s", name)
	return ""
}
