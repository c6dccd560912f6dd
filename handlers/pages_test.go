package handlers_test

import (
	"cmp"
	"context"
	"errors"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/gofiber/fiber/v2"

	"bookhook/db"
	"bookhook/db/dbtest"
	"bookhook/dispatch"
	addressguard "bookhook/dispatch/guard"
	"bookhook/handlers"
	"bookhook/notices"
	"bookhook/platforms"
	"bookhook/platforms/all"
	"bookhook/webhook"
)

const password = "a boat on the river"

// passwordHash is made once and cheaply; what is stored says how to check it.
var passwordHash = sync.OnceValue(func() string {
	hash, err := argon2id.CreateHash(password, &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 16})
	if err != nil {
		panic(err)
	}
	return hash
})

// The people of every site; those of the other account know nothing of the first.
const (
	anna   = "anna@example.com"   // operator
	berta  = "berta@example.com"  // operator too
	staff  = "staff@example.com"  // staff
	admin  = "admin@example.com"  // admin with the account
	lone   = "lone@example.com"   // admin without one
	others = "others@example.com" // operator of the other account
)

// site is a whole Bookhook on a listener: database, dispatcher, pages.
type site struct {
	testing.TB
	folder     string // of the database
	store      *tap
	dispatcher *dispatch.Dispatcher
	app        *fiber.App
	url        string
	account    webhook.Account
	other      webhook.Account
	platforms  platforms.Registry // nil: all
	mailer     *notices.Worker    // nil: no e-mail is sent
	log        io.Writer
	invited    time.Duration // how long after long ago things last invited somebody: an account may do so some times a day
}

// tap is the real database; tests hear through it which attempts were recorded.
type tap struct {
	*db.Store
	finished chan webhook.Result
	full     atomic.Bool // nothing more can be stored of what is received
	quiet    atomic.Bool // the dispatcher does not learn of changes
}

func (s *tap) Finish(ctx context.Context, r webhook.Result, now time.Time) (webhook.Finished, error) {
	done, err := s.Store.Finish(ctx, r, now)
	s.finished <- r
	return done, err
}

// newSite starts a site whose deliveries are tried at once and then after each
// further pause; none means once only. It may call loopback addresses.
func newSite(t testing.TB, pauses ...time.Duration) *site {
	t.Helper()
	s := furnish(t)
	s.run(append([]time.Duration{0}, pauses...))
	return s
}

// furnish makes a site that does not run yet.
func furnish(t testing.TB) *site {
	t.Helper()
	folder := t.TempDir()
	store := openStore(t, filepath.Join(folder, "bookhook.db"))
	s := &site{TB: t, folder: folder, store: store, log: t.Output()}
	s.account = s.addAccount(webhook.Account{Number: 4069, Name: "River Tours & Söhne", TimeZone: "UTC", WebhookLimit: 10})
	s.other = s.addAccount(webhook.Account{Number: 7, Name: "Other Tours", TimeZone: "UTC", WebhookLimit: 10})
	s.addUser(anna, s.account.ID, webhook.RoleOperator)
	s.addUser(berta, s.account.ID, webhook.RoleOperator)
	s.addUser(staff, s.account.ID, webhook.RoleStaff)
	s.addUser(admin, s.account.ID, webhook.RoleAdmin)
	s.addUser(lone, 0, webhook.RoleAdmin)
	s.addUser(others, s.other.ID, webhook.RoleOperator)
	return s
}

func openStore(t testing.TB, path string) *tap {
	t.Helper()
	store := dbtest.Create(t, path)
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return &tap{Store: store, finished: make(chan webhook.Result, 10_000)}
}

func (s *site) addAccount(a webhook.Account) webhook.Account {
	s.Helper()
	a, err := s.store.AddAccount(s.Context(), a, change())
	s.check(err)
	return a
}

func (s *site) addUser(email string, account webhook.AccountID, role webhook.Role) webhook.User {
	s.Helper()
	u, err := s.store.AddUser(s.Context(), webhook.User{Account: account, Email: email, PasswordHash: passwordHash(), Role: role, CreatedAt: time.Now()}, change())
	s.check(err)
	return u
}

func (s *site) check(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// run starts dispatcher and pages on the site's database; they end with the test.
func (s *site) run(schedule []time.Duration) {
	s.Helper()
	allowed, err := addressguard.New("127.0.0.0/8")
	s.check(err)
	if s.platforms == nil {
		s.platforms = all.Platforms()
	}
	s.dispatcher = dispatch.New(dispatch.Options{Store: s.store, Lookups: s.store, Shards: s.store, Guard: allowed, Schedule: schedule, Platforms: s.platforms})
	dispatcher := s.dispatcher // a site may be run again
	s.store.Watch(func(touched []webhook.Touched) {
		if !s.store.quiet.Load() {
			dispatcher.Touched(touched)
		}
	})
	o := options(s.store.Store, s.dispatcher, s.log)
	o.Store.Inbound, o.MaxAttempts, o.Platforms = s.store, len(schedule), s.platforms
	if s.mailer != nil {
		o.Mailer = s.mailer
	}
	s.app, err = handlers.New(o)
	s.check(err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	s.check(err)
	s.url = "http://" + listener.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	app := s.app
	running.Go(func() { s.note(dispatcher.Run(ctx)) })
	running.Go(func() { s.note(app.Listener(accepting(listener))) })
	<-dispatcher.Ready()
	s.listens()
	s.Cleanup(func() {
		s.note(app.Shutdown())
		stop()
		running.Wait()
	})
}

// listens waits for the first answer: what is shut down before it serves would
// begin to serve afterwards.
func (s *site) listens() {
	s.Helper()
	response, err := http.Get(s.url + "/healthz")
	s.check(err)
	s.check(response.Body.Close())
}

func (s *site) note(err error) {
	if err != nil {
		s.Error(err)
	}
}

// receiver is the server behind a webhook.
type receiver struct {
	*httptest.Server
	status atomic.Int32
	says   atomic.Value // its body, a string
	got    chan received
	hold   chan struct{} // when set, requests wait until it is closed
}

type received struct {
	*http.Request
	body string
}

func newReceiver(t testing.TB, status int) *receiver {
	r := &receiver{got: make(chan received, 1000)}
	r.status.Store(int32(status))
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		if request.Method != http.MethodHead {
			r.got <- received{request, string(body)}
		}
		if r.hold != nil {
			<-r.hold
		}
		w.WriteHeader(int(r.status.Load()))
		if said, ok := r.says.Load().(string); ok {
			_, _ = io.WriteString(w, said)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// arrived waits for what a receiver got.
func arrived[T any](t testing.TB, got <-chan T) T {
	t.Helper()
	select {
	case one := <-got:
		return one
	case <-time.After(20 * time.Second):
		t.Fatal("nothing arrived")
	}
	panic("not reached")
}

// hook creates a webhook that receives everything, as changed by the functions.
func (s *site) hook(url string, with ...func(*webhook.Webhook)) *webhook.Webhook {
	s.Helper()
	config := webhook.NewConfig(nil)
	config.Name, config.URL, config.AllEvents, config.Ordered, config.TimeLimit = "Accounting", url, true, false, 0
	w := &webhook.Webhook{Account: s.account.ID, Config: config, Enabled: true, Secret: webhook.NewSecret()}
	for _, apply := range with {
		apply(w)
	}
	s.store.quiet.Store(true)
	w, err := s.store.CreateWebhook(s.Context(), w, nil, change())
	s.store.quiet.Store(false)
	s.check(err)
	return w
}

// ingest takes an event in and, through the dispatcher, to its webhooks.
func (s *site) ingest(e webhook.Event) webhook.Accepted {
	s.Helper()
	e.Platform, e.Type = cmp.Or(e.Platform, "tourcms"), cmp.Or(e.Type, "cancelled")
	accepted, err := s.dispatcher.Ingest(s.Context(), s.account.ID, []webhook.Event{e})
	s.check(err)
	return accepted[0]
}

// leave stores events whose deliveries nobody sends.
func (s *site) leave(events ...webhook.Event) []webhook.Accepted {
	s.Helper()
	for i := range events {
		events[i].Platform, events[i].Type = "tourcms", cmp.Or(events[i].Type, "cancelled")
	}
	s.store.quiet.Store(true)
	accepted, err := insert(s.Context(), s.store, s.account.ID, events)
	s.store.quiet.Store(false)
	s.check(err)
	return accepted
}

// settled waits until an attempt was recorded.
func (s *site) settled() webhook.Result {
	s.Helper()
	select {
	case r := <-s.store.finished:
		return r
	case <-time.After(20 * time.Second):
		s.Fatal("no attempt was recorded")
	}
	return webhook.Result{}
}

func (s *site) putItems(kind webhook.ItemKind, items ...webhook.Item) {
	s.Helper()
	_, _, err := s.store.PutItems(s.Context(), s.account.ID, kind, items, change())
	s.check(err)
}

// browser is a person at a browser, which does not follow redirects by itself.
type browser struct {
	*site
	client *http.Client
}

// page is an answer.
type page struct {
	testing.TB
	status   int
	location string
	header   http.Header
	text     string // its HTML without entities
	words    string // what a person reads of it
}

func (s *site) anonymous() *browser {
	jar, err := cookiejar.New(nil)
	s.check(err)
	return &browser{s, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (s *site) signIn(email string) *browser {
	s.Helper()
	b := s.anonymous()
	b.post("/login", url.Values{"email": {email}, "password": {password}}).is(http.StatusSeeOther)
	return b
}

func (b *browser) do(request *http.Request) page {
	b.Helper()
	response, err := b.client.Do(request)
	b.check(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	b.check(err)
	return page{b, response.StatusCode, response.Header.Get("Location"), response.Header, html.UnescapeString(string(body)), wordsOf(string(body))}
}

func (b *browser) request(method, path, body string) *http.Request {
	b.Helper()
	request, err := http.NewRequestWithContext(b.Context(), method, b.url+path, strings.NewReader(body))
	b.check(err)
	if method != http.MethodGet {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return request
}

func (b *browser) get(path string) page {
	b.Helper()
	return b.do(b.request(http.MethodGet, path, ""))
}

func (b *browser) post(path string, form url.Values) page {
	b.Helper()
	return b.do(b.request(http.MethodPost, path, form.Encode()))
}

// follow posts, wants to be sent on, and goes there.
func (b *browser) follow(path string, form url.Values) page {
	b.Helper()
	return b.get(b.post(path, form).is(http.StatusSeeOther).location).is(http.StatusOK)
}

func (p page) is(status int) page {
	p.Helper()
	if p.status != status {
		p.Fatalf("got status %d, want %d:\n%s", p.status, status, p.words)
	}
	return p
}

func (p page) has(texts ...string) page {
	p.Helper()
	for _, text := range texts {
		if !strings.Contains(p.text, text) && !strings.Contains(p.words, text) {
			p.Errorf("%q is not on the page:\n%s", text, p.words)
		}
	}
	return p
}

func (p page) lacks(texts ...string) page {
	p.Helper()
	for _, text := range texts {
		if strings.Contains(p.text, text) || strings.Contains(p.words, text) {
			p.Errorf("%q is on the page:\n%s", text, p.words)
		}
	}
	return p
}

var (
	inTag = regexp.MustCompile(`</?(b|em|strong|code)( [^>]*)?>`)
	tag   = regexp.MustCompile(`<[^>]*>`)
	space = regexp.MustCompile(`\s+`)
)

// wordsOf takes the words out of the main part of a document.
func wordsOf(document string) string {
	if _, body, found := strings.Cut(document, `<main`); found {
		document = "<" + body
	}
	text := tag.ReplaceAllString(inTag.ReplaceAllString(document, ""), " ")
	return space.ReplaceAllString(html.UnescapeString(text), " ")
}

// find is the first group of the expression on the page.
func (p page) find(expression string) string {
	p.Helper()
	found := regexp.MustCompile(expression).FindStringSubmatch(p.text)
	if found == nil {
		p.Fatalf("%s is not on the page:\n%s", expression, p.words)
	}
	return found[1]
}

func TestSignInIsAskedForAndLeadsBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.anonymous()
	login := b.get("/deliveries?state=failed").is(http.StatusSeeOther).location
	if want := "/login?next=%2Fdeliveries%3Fstate%3Dfailed"; login != want {
		t.Errorf("got %s, want %s", login, want)
	}
	next := b.get(login).is(http.StatusOK).find(`name="next" value="([^"]*)"`)
	p := b.post("/login", url.Values{"email": {"  Anna@Example.com "}, "password": {password}, "next": {next}}).is(http.StatusSeeOther)
	if p.location != "/deliveries?state=failed" {
		t.Errorf("got %s", p.location)
	}
	b.post("/login", url.Values{"email": {anna}, "password": {"wrong"}}).is(http.StatusUnprocessableEntity).has(anna, "Wrong e-mail address or password.")
}

func TestHealth(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.anonymous().get("/healthz").is(http.StatusOK).has(`"ok"`, "1.2.3")
}

func TestNoSuchPage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.signIn(anna).get("/nowhere").is(http.StatusNotFound).has("Page not found", "No booking is affected")
}

// Ids of another account and ids of nothing are the same to whoever asks.
func TestUnknownIDs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	const nothing = 12345
	for _, path := range []string{
		"/webhooks/" + webhook.WebhookID(nothing).String(), "/webhooks/1", "/webhooks/whk_",
		"/webhooks/" + webhook.EventID(nothing).String(),
		"/deliveries/" + webhook.DeliveryID(nothing).String(), "/deliveries/%00", "/deliveries/🦭",
		"/events/" + webhook.EventID(nothing).String(),
		"/drafts/" + webhook.DraftID(nothing).String() + "/type",
		"/deliveries?before=x", "/events?before=x",
	} {
		b.get(path).is(http.StatusNotFound)
	}
}

var errNone = errors.New("none")

func only[T any](t testing.TB, list []T, err error) T {
	t.Helper()
	if err == nil && len(list) != 1 {
		err = errNone
	}
	if err != nil {
		t.Fatalf("got %d, want 1: %v", len(list), err)
	}
	return list[0]
}
