package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"bookhook/auth"
	"bookhook/db"
	"bookhook/webhook"
)

// patience is how long anything may take before a test gives up.
const patience = 30 * time.Second

// asMain makes the test binary be bookhook, for what needs a process.
const asMain = "BOOKHOOK_TEST_AS_MAIN"

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(profiles) != "" && os.Getenv(asMain) != "":
		os.Exit(profiled())
	case os.Getenv(asMain) != "":
		main()
	}
	os.Exit(m.Run())
}

// do runs a command that ends by itself.
func do(t *testing.T, stdin string, args ...string) (code int, out, err string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), args, variables{}.get, streams{strings.NewReader(stdin), &stdout, &stderr})
	return code, stdout.String(), stderr.String()
}

// must runs a command that has to succeed and returns what it printed.
func must(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	code, out, err := do(t, stdin, args...)
	if code != 0 {
		t.Fatalf("bookhook %s: exit %d: %s", strings.Join(args, " "), code, err)
	}
	return strings.TrimSuffix(out, "\n")
}

// refused runs a command that has to fail with this exit code, nothing on
// standard output, and one line on standard error that contains want.
func refused(t *testing.T, want string, code int, stdin string, args ...string) {
	t.Helper()
	got, out, err := do(t, stdin, args...)
	if got != code || out != "" {
		t.Errorf("bookhook %q: got exit %d and %q, want %d and nothing", args, got, out, code)
	}
	if !strings.HasPrefix(err, "bookhook: ") || strings.Count(err, "\n") != 1 || !strings.Contains(err, want) {
		t.Errorf("bookhook %q: got %q, want one line with %q", args, err, want)
	}
}

// newDatabase creates an empty database, as serve does.
func newDatabase(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bookhook.db")
	store, err := db.Create(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// open looks into a database.
func open(t *testing.T, path string) *db.Store {
	t.Helper()
	store, err := db.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// process is a command that goes on until it is stopped.
type process struct {
	t        testing.TB
	url      string // from "listening on"
	lines    chan string
	seen     []string
	cancel   context.CancelFunc
	exited   chan int
	finished bool
}

// launch runs a command in this process and returns when it listens.
func launch(t testing.TB, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	output, writer := io.Pipe()
	p := newProcess(t, output)
	p.cancel = cancel
	go func() {
		code := run(ctx, args, variables{}.get, streams{strings.NewReader(""), writer, writer})
		writer.Close()
		p.exited <- code
	}()
	t.Cleanup(p.stop)
	p.url = p.waitFor(listening)[1]
	return p
}

// watch starts a process of its own and returns when it listens. Its end is for
// the test to wait for.
func watch(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	output, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = writer, writer
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	p := newProcess(t, output)
	p.url = p.waitFor(listening)[1]
	return p
}

const listening = `^listening on (http://\S+)$`

func newProcess(t testing.TB, output io.Reader) *process {
	p := &process{t: t, lines: make(chan string, 1000), exited: make(chan int, 1)}
	go func() {
		defer close(p.lines)
		for lines := bufio.NewScanner(output); lines.Scan(); {
			p.lines <- lines.Text()
		}
	}()
	return p
}

// waitFor reads on until a line matches.
func (p *process) waitFor(pattern string) []string {
	p.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				p.t.Fatalf("it ended without a line like %s:\n%s", pattern, strings.Join(p.seen, "\n"))
			}
			p.seen = append(p.seen, line)
			if groups := regexp.MustCompile(pattern).FindStringSubmatch(line); groups != nil {
				return groups
			}
		case <-timeout:
			p.t.Fatalf("no line like %s:\n%s", pattern, strings.Join(p.seen, "\n"))
		}
	}
}

// stop does what SIGTERM does, and wants an orderly end.
func (p *process) stop() {
	p.t.Helper()
	p.cancel()
	p.ended()
}

func (p *process) ended() {
	p.t.Helper()
	if p.finished {
		return
	}
	p.finished = true
	select {
	case code := <-p.exited:
		if code != 0 {
			p.t.Errorf("got exit %d, want 0", code)
		}
	case <-time.After(patience):
		p.t.Errorf("it did not stop within %s", patience)
	}
}

// printed is the text of a line that was read before, "" when there is none.
func (p *process) printed(pattern string) string {
	for _, line := range p.seen {
		if groups := regexp.MustCompile(pattern).FindStringSubmatch(line); groups != nil {
			return groups[len(groups)-1]
		}
	}
	return ""
}

func get(t testing.TB, url, token string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestExitCodes(t *testing.T) {
	if got := must(t, "", "version"); got != "bookhook dev" {
		t.Errorf("got %q, want bookhook dev", got)
	}
	if got := must(t, "", "--version"); got != "bookhook dev" {
		t.Errorf("got %q, want bookhook dev", got)
	}
	if got := must(t, "", "--help"); !strings.HasPrefix(got, "Usage: bookhook") {
		t.Errorf("got %q, want the help", got)
	}
	refused(t, "unknown flag --nonsense", 2, "", "--nonsense")
	refused(t, "--retention", 2, "", "serve", "--retention", "0")
	refused(t, "--support: say whom", 2, "", "serve", "--support", " ")
	refused(t, "--support: use one line", 2, "", "serve", "--support", "Anna\nin the office")
	refused(t, "--support: use at most 200", 2, "", "serve", "--support", strings.Repeat("ä", 201))
}

func TestStartupErrors(t *testing.T) {
	dir := t.TempDir()
	refused(t, "no/such/folder", 1, "", "--listen", "127.0.0.1:0", "--database", filepath.Join(dir, "no/such/folder/b.db"))
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, bytes.Repeat([]byte("not a database"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, "garbage.db", 1, "", "--listen", "127.0.0.1:0", "--database", garbage)

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	untouched := filepath.Join(dir, "untouched.db")
	refused(t, "cannot listen on "+taken.Addr().String()+": ", 1, "", "--listen", taken.Addr().String(), "--database", untouched)
	if _, err := os.Stat(untouched); !os.IsNotExist(err) {
		t.Errorf("got %v, want no database made by a Bookhook that cannot listen", err)
	}
}

// TestNoDatabase: a command other than serve, demo, bench and restore creates none.
func TestNoDatabase(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "typo.db")
	for _, args := range []string{
		"account add Night", "account limit 4069 25", "account list", "user add --email a@example.com --role admin",
		"user password --email a@example.com", "user list", "user remove --email a@example.com", "token add --account 4069 till",
		"token list --account 4069", "token revoke --account 4069 tok_0000000000002", "platform on --account 4069 tourcms",
		"platform off --account 4069 tourcms", "platform rotate --account 4069 tourcms", "client add --account 4069 reseller",
		"client list --account 4069", "client revoke --account 4069 cli0000000000002", "backup copy.db", "bench-unstored",
	} {
		refused(t, "there is no database "+missing+"; ", 1, "", append(strings.Fields(args), "--database", missing)...)
		if _, err := os.Stat(missing); !os.IsNotExist(err) {
			t.Fatalf("%s: got %v, want no database created", args, err)
		}
	}
}

func TestHealthcheck(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			t.Errorf("got a request for %s, want /healthz", r.URL)
		}
		w.WriteHeader(status)
	}))
	address := server.Listener.Addr().String()
	if got := must(t, "", "healthcheck", "--listen", address); got != "ok" {
		t.Errorf("got %q, want ok", got)
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	must(t, "", "healthcheck", "--listen", ":"+port)
	status = http.StatusServiceUnavailable
	refused(t, "503", 1, "", "healthcheck", "--listen", address)
	server.Close()
	refused(t, "no answer", 1, "", "healthcheck", "--listen", address)
}

func TestAccounts(t *testing.T) {
	database := newDatabase(t)
	at := func(args ...string) []string { return append(args, "--database", database) }
	if got := must(t, "", at("account", "add", "Night Tours", "--number", "4069")...); got != "4069" {
		t.Errorf("got %q, want 4069", got)
	}
	if got := must(t, "", at("account", "add", "Day Tours")...); got != "4070" {
		t.Errorf("got %q, want the next free number, 4070", got)
	}
	refused(t, "The number 4069 belongs to another account.", 1, "", at("account", "add", "Again", "--number", "4069")...)

	must(t, "", at("account", "limit", "4069", "25")...)
	refused(t, "there is no account 1 in "+database, 1, "", at("account", "limit", "1", "25")...)
	refused(t, "negative", 2, "", at("account", "limit", "4069", "-1")...)
	account, err := open(t, database).AccountByNumber(t.Context(), 4069)
	if err != nil || account.Name != "Night Tours" || account.WebhookLimit != 25 || account.TimeZone != "UTC" {
		t.Errorf("got %+v, %v, want Night Tours with a limit of 25", account, err)
	}
}

func TestUsers(t *testing.T) {
	database := newDatabase(t)
	at := func(args ...string) []string { return append(args, "--database", database) }
	must(t, "", at("account", "add", "Night Tours", "--number", "4069")...)
	if got := must(t, "correct horse battery\nmore\n", at("user", "add", "--email", "Ann@Example.com", "--role", "operator", "--account", "4069")...); got != "" {
		t.Errorf("got %q, want no password printed that was given", got)
	}
	made := must(t, "", at("user", "add", "--email", "root@example.com", "--role", "admin")...)
	if !regexp.MustCompile(`^[a-z2-7]{5}(-[a-z2-7]{5}){3}$`).MatchString(made) {
		t.Errorf("got %q, want a password that can be read aloud", made)
	}

	refused(t, "Somebody with this e-mail address signs in here already.", 1, "", at("user", "add", "--email", "ann@example.com", "--role", "admin")...)
	refused(t, "there is no account 7", 1, "", at("user", "add", "--email", "b@example.com", "--role", "staff", "--account", "7")...)
	refused(t, "at least 12 characters", 2, "short\n", at("user", "add", "--email", "b@example.com", "--role", "admin")...)
	refused(t, `"boss" is not admin, operator or staff`, 2, "", at("user", "add", "--email", "b@example.com", "--role", "boss")...)

	refused(t, "nobody signs in with b@example.com in "+database, 1, "", at("user", "password", "--email", "b@example.com")...)
	refused(t, "at least 12 characters", 2, "short\n", at("user", "password", "--email", "root@example.com")...)

	srv := launch(t, at("serve", "--listen", "127.0.0.1:0")...)
	for email, password := range map[string]string{"ann@example.com": "correct horse battery", "ROOT@example.com": made} {
		if got := signIn(t, srv.url, email, password); got != http.StatusSeeOther {
			t.Errorf("sign-in of %s: got %d, want 303", email, got)
		}
	}
	if got := signIn(t, srv.url, "ann@example.com", "correct horse batterz"); got != http.StatusUnprocessableEntity {
		t.Errorf("sign-in with another password: got %d, want 422", got)
	}
}

func TestNewPassword(t *testing.T) {
	database := newDatabase(t)
	at := func(args ...string) []string { return append(args, "--database", database) }
	first := must(t, "", at("user", "add", "--email", "root@example.com", "--role", "admin")...)
	store := open(t, database)
	user, err := store.UserByEmail(t.Context(), "root@example.com")
	if err != nil {
		t.Fatal(err)
	}
	session := auth.Session{User: user.ID, Data: []byte("{}"), ExpiresAt: time.Now().Add(time.Hour)}
	if err := store.AddSession(t.Context(), []byte("elsewhere"), nil, session); err != nil {
		t.Fatal(err)
	}
	made := must(t, "", at("user", "password", "--email", "Root@example.com")...)
	if _, err := store.Session(t.Context(), []byte("elsewhere"), time.Now()); !errors.Is(err, webhook.ErrNotFound) {
		t.Errorf("got %v, want the session ended", err)
	}
	srv := launch(t, at("serve", "--listen", "127.0.0.1:0")...)
	for password, want := range map[string]int{first: http.StatusUnprocessableEntity, made: http.StatusSeeOther} {
		if got := signIn(t, srv.url, "root@example.com", password); got != want {
			t.Errorf("sign-in with %q: got %d, want %d", password, got, want)
		}
	}
	if got := must(t, "correct horse battery\n", at("user", "password", "--email", "root@example.com")...); got != "" {
		t.Errorf("got %q, want no password printed that was given", got)
	}
	if got := signIn(t, srv.url, "root@example.com", "correct horse battery"); got != http.StatusSeeOther {
		t.Errorf("sign-in with the password that was given: got %d, want 303", got)
	}
}

func signIn(t *testing.T, url, email, password string) int {
	t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.PostForm(url+"/login", map[string][]string{"email": {email}, "password": {password}})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

func TestTokens(t *testing.T) {
	database := newDatabase(t)
	at := func(args ...string) []string { return append(args, "--database", database) }
	must(t, "", at("account", "add", "Night Tours", "--number", "4069")...)
	token := must(t, "", at("token", "add", "--account", "4069", "till")...)
	if !strings.HasPrefix(token, "bh_") || strings.ContainsAny(token, " \n") {
		t.Errorf("got %q, want a token alone", token)
	}
	refused(t, "there is no account 1", 1, "", at("token", "add", "--account", "1", "till")...)

	srv := launch(t, at("serve", "--listen", "127.0.0.1:0")...)
	if status, body := get(t, srv.url+"/api/v1/account", token); status != http.StatusOK || !strings.Contains(body, "Night Tours") {
		t.Errorf("got %d %s, want the account", status, body)
	}
	if status, _ := get(t, srv.url+"/api/v1/account", token+"x"); status != http.StatusUnauthorized {
		t.Errorf("another token: got %d, want 401", status)
	}
	store := open(t, database)
	account, err := store.AccountByNumber(t.Context(), 4069)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := store.Audit(t.Context(), account.ID, 0, 10)
	if err != nil || len(entries) != 2 || entries[0].By != webhook.ByCommandLine || entries[0].Action != "token.created" {
		t.Errorf("got %+v, %v, want the two commands in the activity", entries, err)
	}
	if tokens, err := store.Tokens(t.Context(), account.ID); err != nil || len(tokens) != 1 || tokens[0].Name != "till" {
		t.Errorf("got %+v, %v, want one token named till", tokens, err)
	}
	if webhook.DefaultLimit != account.WebhookLimit {
		t.Errorf("got a limit of %d, want %d", account.WebhookLimit, webhook.DefaultLimit)
	}
}
