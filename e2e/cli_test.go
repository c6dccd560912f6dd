package e2e

import (
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestCommandsThatFail(t *testing.T) {
	busy := startServer(t)
	database, missing := busy.Database, filepath.Join(t.TempDir(), "bookhook.db")
	if got := busy.run("", "account", "add", "Ada Tours", "--number", "4069"); got != "4069\n" {
		t.Errorf("account add: got %q, want 4069", got)
	}
	busy.run("", "user", "add", "--email", "ada@example.com", "--role", "operator", "--account", "4069")
	taken := strings.TrimPrefix(busy.URL, "http://")

	for _, tt := range []struct {
		code int
		says string // a part of the line
		args []string
	}{
		{2, "unexpected argument", []string{"sevre"}},
		{2, "--colour", []string{"serve", "--colour", "red"}},
		{2, `--listen: "nowhere" is not HOST:PORT`, []string{"serve", "--listen", "nowhere"}},
		{2, "--retention", []string{"serve", "--retention", "never"}},
		{2, "--allow-private-targets", []string{"serve", "--allow-private-targets", "10.0.0.0/99"}},
		{2, "--log-format", []string{"serve", "--log-format", "xml"}},
		{2, "mysql:// is no database that Bookhook knows", []string{"serve", "--database", "mysql://localhost/bookhook"}},
		{2, "NAME", []string{"account", "add", ""}},
		{2, "N:", []string{"account", "limit", "4069", "many"}},
		{2, "-1: no number here can be negative", []string{"account", "limit", "4069", "-1"}},
		{2, `--role: "king" is not admin, operator or staff`, []string{"user", "add", "--email", "k@example.com", "--role", "king"}},
		{2, "--email", []string{"user", "add", "--email", "nobody", "--role", "staff", "--account", "4069"}},
		{2, "--account", []string{"user", "add", "--email", "s@example.com", "--role", "staff"}},
		{2, "--account", []string{"token", "add", "till"}},
		{1, "4069", []string{"account", "add", "Again", "--number", "4069", "--database", database}},
		{1, "there is no account 7", []string{"account", "limit", "7", "20", "--database", database}},
		{1, "there is no account 7", []string{"token", "add", "--account", "7", "till", "--database", database}},
		{1, "already", []string{"user", "add", "--email", "ADA@example.com", "--role", "staff", "--account", "4069", "--database", database}},
		{1, "there is no database " + missing, []string{"account", "add", "Ada Tours", "--database", missing}},
		{1, "there is no database " + missing, []string{"token", "list", "--account", "4069", "--database", missing}},
		{1, "cannot listen on " + taken, []string{"serve", "--listen", taken}},
		{1, "", []string{"serve", "--listen", "127.0.0.1:0", "--database", t.TempDir()}},
		{1, "", []string{"serve", "--listen", "127.0.0.1:0", "--database", filepath.Join(t.TempDir(), "no", "such", "folder.db")}},
		{1, "no answer", []string{"healthcheck", "--listen", "127.0.0.1:1"}},
	} {
		out, stderr, code := command(t, "", tt.args...)
		if code != tt.code {
			t.Errorf("%q: exit code %d, want %d (%s)", tt.args, code, tt.code, stderr)
		}
		if !strings.HasPrefix(stderr, "bookhook: ") || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, tt.says) || len(stderr) < 20 {
			t.Errorf("%q: got %q on stderr, want one line with %q", tt.args, stderr, tt.says)
		}
		if out != "" {
			t.Errorf("%q: got %q on stdout, want nothing", tt.args, out)
		}
	}
}

func TestCommandsForScripts(t *testing.T) {
	srv := startServer(t)
	at := strings.TrimPrefix(srv.URL, "http://")
	if out, stderr, code := command(t, "", "healthcheck", "--listen", at); code != 0 || out != "ok\n" || stderr != "" {
		t.Errorf("healthcheck: got %q, %q, %d; want ok and 0", out, stderr, code)
	}
	for _, args := range []string{"version", "--version"} {
		if out, _, code := command(t, "", args); code != 0 || !regexp.MustCompile(`^bookhook \S+\n$`).MatchString(out) {
			t.Errorf("%s: got %q, %d", args, out, code)
		}
	}
	for _, args := range [][]string{{"--help"}, {"serve", "--help"}, {"account", "add", "--help"}, {"demo", "--help"}} {
		if out, stderr, code := command(t, "", args...); code != 0 || !strings.Contains(out, "Usage: bookhook") || stderr != "" {
			t.Errorf("%q: got %q, %q, %d; want the help on stdout and 0", args, out, stderr, code)
		}
	}
	for i, want := range []string{"1\n", "2\n"} { // the next free one
		if got := srv.run("", "account", "add", "Tours "+want); got != want {
			t.Errorf("account %d: got number %q, want %q", i+1, got, want)
		}
	}
	given := srv.run("", "user", "add", "--email", "ada@example.com", "--role", "admin", "--account", "1")
	p := newPage(t, pageOptions{})
	p.signIn(srv.URL, "ada@example.com", strings.TrimSuffix(given, "\n")) // the password that was made up
	p.visit(srv.URL)
	p.sees("Tours 1")
	if token := srv.run("", "token", "add", "--account", "1", "till"); !regexp.MustCompile(`^bh_\S{40,}\n$`).MatchString(token) {
		t.Errorf("token add: got %q", token)
	}
	srv.kill9()
	if _, _, code := command(t, "", "healthcheck", "--listen", at); code != 1 {
		t.Errorf("healthcheck of a dead server: got %d, want 1", code)
	}
}

// Commands are another process on the same database; what they do holds at once.
func TestCommandsWhileBookhookRuns(t *testing.T) {
	op := newShop(t)
	in := receiver(t)
	op.webhook("First", in.URL, nil)
	second := map[string]any{"name": "Second", "url": in.URL, "type": "async", "format": "standard", "events": []string{"*"}}
	op.run("", "account", "limit", op.Number, "1")
	p := op.as(t, operator, pageOptions{})
	p.visit(op.URL + "/webhooks")
	p.sees("1 of 1")
	got := op.ask("POST", "/webhooks", second).refused(t, http.StatusConflict)
	if got.Type != "webhook-limit" || !strings.Contains(got.Detail, "1 asynchronous webhook") {
		t.Errorf("got %+v, want the type webhook-limit and the limit in the detail", got)
	}
	op.run("", "account", "limit", op.Number, "2")
	op.ask("POST", "/webhooks", second).want(t, http.StatusCreated, nil)
	p.reload()
	p.sees("2 of 2")
	op.run("", "account", "limit", op.Number, "0") // takes none away
	p.reload()
	p.sees("2 of 0")
	if e := op.booking("1"); len(e.Deliveries) != 2 {
		t.Errorf("got %+v, want it sent to both webhooks", e)
	}

	op.addUser(staff, "staff", op.Number)
	help := op.as(t, staff, pageOptions{})
	help.visit(op.URL + "/webhooks")
	help.sees("First")
}
