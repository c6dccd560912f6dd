package main

import (
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"bookhook/dispatch/guard"
	"bookhook/webhook"
)

// variables is an environment.
type variables map[string]string

func (v variables) get(name string) string { return v[name] }

func mustGuard(t *testing.T, allow string) *guard.Guard {
	t.Helper()
	g, err := guard.New(allow)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// defaults is what "bookhook" without anything does.
func defaults(t *testing.T) serve {
	return serve{
		database: "bookhook.db", listen: "127.0.0.1:8080", guard: mustGuard(t, ""), keep: 90 * 24 * time.Hour,
		log: logging{format: "text", level: slog.LevelInfo},
	}
}

func TestParseServe(t *testing.T) {
	with := func(change func(s *serve)) serve {
		s := defaults(t)
		change(&s)
		return s
	}
	everything := with(func(s *serve) {
		s.database, s.listen, s.baseURL = "/data/b.db", ":9000", "https://hooks.example.com:8443"
		s.guard, s.proxies = mustGuard(t, "10.0.0.0/8,192.168.1.5"), []string{"10.1.2.0/24", "192.0.2.1", "2001:db8::1"}
		s.keep, s.log = 24*time.Hour, logging{"json", slog.LevelDebug}
	})
	for _, c := range []struct {
		name string
		args string
		env  variables
		want serve
	}{
		{"nothing", "", nil, defaults(t)},
		{"serve", "serve", nil, defaults(t)},
		{"flags without a command", "--listen 127.0.0.1:0", nil, with(func(s *serve) { s.listen = "127.0.0.1:0" })},
		{"database before the command", "--database x.db serve", nil, with(func(s *serve) { s.database = "x.db" })},
		{"database after the command", "serve --database=x.db", nil, with(func(s *serve) { s.database = "x.db" })},
		{
			"environment", "",
			variables{"BOOKHOOK_LISTEN": ":8080", "BOOKHOOK_DATABASE": "/data/bookhook.db"},
			with(func(s *serve) { s.listen, s.database = ":8080", "/data/bookhook.db" }),
		},
		{
			"flags over environment", "serve --listen [::1]:1",
			variables{"BOOKHOOK_LISTEN": ":8080"},
			with(func(s *serve) { s.listen = "[::1]:1" }),
		},
		{
			"a wrong variable behind a flag", "serve --retention 1",
			variables{"BOOKHOOK_RETENTION": "x"},
			with(func(s *serve) { s.keep = 24 * time.Hour }),
		},
		{"an empty variable is none", "serve", variables{"BOOKHOOK_LISTEN": "", "BOOKHOOK_RETENTION": ""}, defaults(t)},
		{"all targets", "--allow-private-targets all", nil, with(func(s *serve) { s.guard = mustGuard(t, "all") })},
		{"every flag", "serve --database /data/b.db --listen :9000 --base-url https://hooks.example.com:8443/ " +
			"--allow-private-targets 10.0.0.0/8,192.168.1.5 --trusted-proxies 10.1.2.3/24,192.0.2.1,2001:db8::1 " +
			"--retention 1 --log-format json --log-level debug", nil, everything},
		{"every variable", "", variables{
			"BOOKHOOK_DATABASE": "/data/b.db", "BOOKHOOK_LISTEN": ":9000", "BOOKHOOK_BASE_URL": "https://hooks.example.com:8443",
			"BOOKHOOK_ALLOW_PRIVATE_TARGETS": "10.0.0.0/8, 192.168.1.5", "BOOKHOOK_TRUSTED_PROXIES": "10.1.2.3/24, 192.0.2.1 , 2001:db8::1",
			"BOOKHOOK_RETENTION": "1", "BOOKHOOK_LOG_FORMAT": "json", "BOOKHOOK_LOG_LEVEL": "debug",
		}, everything},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parse(strings.Fields(c.args), c.env.get)
			if err != nil || !reflect.DeepEqual(got, command(c.want)) {
				t.Errorf("got %+v, %v, want %+v", got, err, c.want)
			}
		})
	}
}

func TestParseCommands(t *testing.T) {
	env := variables{"BOOKHOOK_DATABASE": "d.db", "BOOKHOOK_LISTEN": ":8080"}
	for args, want := range map[string]command{
		"demo":                      runDemo{":8080"},
		"demo --listen 127.0.0.1:0": runDemo{"127.0.0.1:0"},
		"account add Night":         addAccount{"d.db", "Night", 0},
		"account add Night --number 4069 --database e.db":            addAccount{"e.db", "Night", 4069},
		"account limit 4069 25":                                      setLimit{"d.db", 4069, 25},
		"account limit 4069 0":                                       setLimit{"d.db", 4069, 0},
		"user add --email Ann@Example.com --role admin":              addUser{"d.db", "ann@example.com", webhook.RoleAdmin, 0},
		"user add --email a@example.com --role staff --account 4069": addUser{"d.db", "a@example.com", webhook.RoleStaff, 4069},
		"user password --email Ann@Example.com":                      setPassword{"d.db", "ann@example.com"},
		"token add --account 4069 till":                              addToken{"d.db", 4069, "till"},
		"platform on --account 4069 tourcms":                         changePlatform{"d.db", 4069, "tourcms", platformOn},
		"platform off wink --account 4069":                           changePlatform{"d.db", 4069, "wink", platformOff},
		"platform rotate --account 4069 ltd --database e.db":         changePlatform{"e.db", 4069, "ltd", platformRotate},
		"healthcheck":                        healthcheck{"http://127.0.0.1:8080/healthz"},
		"healthcheck --listen 0.0.0.0:81":    healthcheck{"http://127.0.0.1:81/healthz"},
		"healthcheck --listen [::]:81":       healthcheck{"http://[::1]:81/healthz"},
		"healthcheck --listen 192.0.2.7:81":  healthcheck{"http://192.0.2.7:81/healthz"},
		"healthcheck --listen localhost:81":  healthcheck{"http://localhost:81/healthz"},
		"bench":                              runBench{time: 30 * time.Second, connections: 128, deliveries: 5_000_000, accounts: 100},
		"client add --account 4069 reseller": addClient{"d.db", 4069, "reseller"},
		"bench --seconds 1 --connections 2 --backlog 5 --full --deliveries 3 --accounts 4 --dir x --json -": runBench{time.Second, 2, 5 * time.Second, true, 3, 4, "x", "-"},
		"bench-unstored":          runUnstored{"d.db"},
		"version":                 showVersion{},
		"version --database e.db": showVersion{},
	} {
		got, err := parse(strings.Fields(args), env.get)
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", args, got, err, want)
		}
	}
}

func TestParseProblems(t *testing.T) {
	for _, c := range []struct {
		args string
		env  variables
		want []string // all of these in one line
	}{
		{args: "sevre", want: []string{"unexpected argument sevre"}},
		{args: "--lisen x", want: []string{`unknown flag --lisen, did you mean "--listen"?`}},
		{args: "serve --number 1", want: []string{"unknown flag --number"}},
		{args: "demo --retention 1", want: []string{"unknown flag --retention"}},
		{args: "account", want: []string{`expected one of "add", "limit"`}},
		{args: "account add", want: []string{"<name>"}},
		{args: "user add", want: []string{"--email", "--role"}},
		{args: "token add till", want: []string{"--account"}},
		{args: "platform", want: []string{`expected one of "on", "off", "rotate"`}},
		{args: "platform on", want: []string{"--account"}},
		{args: "platform on --account 1", want: []string{"<platform>"}},
		{args: "platform rotate --account x Wink", want: []string{`--account: "x"`, `PLATFORM: "Wink" is not tourcms, prioticket,`}},
		{args: "client add reseller", want: []string{"--account"}},
		{args: "serve --listen 8080", want: []string{`--listen: "8080" is not HOST:PORT`}},
		{args: "serve --listen :http", want: []string{"--listen", "port", ":http"}},
		{args: "serve --listen :65536", want: []string{"--listen", ":65536"}},
		{args: "serve --listen=", want: []string{"--listen"}},
		{args: "serve --database=", want: []string{"--database"}},
		{args: "serve --database postgres://u:p@db/b", want: []string{"--database: PostgreSQL comes in a later version"}},
		{env: variables{"BOOKHOOK_DATABASE": "postgresql:///b"}, want: []string{"BOOKHOOK_DATABASE: PostgreSQL comes in a later version"}},
		{args: "account add X --database mysql://b", want: []string{"--database", "mysql://b"}},
		{args: "serve --base-url hooks.example.com", want: []string{"--base-url"}},
		{args: "serve --base-url ftp://example.com", want: []string{"--base-url"}},
		{args: "serve --base-url https://example.com/hooks", want: []string{"--base-url", "host of its own"}},
		{args: "serve --base-url https://u:p@example.com", want: []string{"--base-url"}},
		{args: "serve --allow-private-targets 10.0.0.0/8,home", want: []string{`--allow-private-targets: "home"`}},
		{args: "serve --trusted-proxies proxy", want: []string{`--trusted-proxies: "proxy"`}},
		{args: "serve --retention 0", want: []string{`--retention: "0"`, "from 1"}},
		{args: "serve --retention -1", want: []string{"-1", "negative"}},
		{args: "serve --retention 1.5", want: []string{`--retention: "1.5"`}},
		{args: "serve --log-format xml", want: []string{`--log-format: "xml" is not text or json`}},
		{args: "serve --log-level loud", want: []string{`--log-level: "loud" is not debug, info, warn or error`}},
		{
			args: "serve --retention no --log-level loud", env: variables{"BOOKHOOK_LISTEN": "nowhere", "BOOKHOOK_TRUSTED_PROXIES": "a,b"},
			want: []string{"BOOKHOOK_LISTEN: ", "--retention: ", "--log-level: ", `BOOKHOOK_TRUSTED_PROXIES: "a"`, `"b"`},
		},
		{args: "account add X --number 0", want: []string{`--number: "0"`}},
		{args: "account add X --number nine", want: []string{`--number: "nine"`}},
		{args: "account limit 4069 -1", want: []string{"-1: no number here can be negative"}},
		{args: "account limit 4069 1001", want: []string{`N: "1001"`, "0 to 1000"}},
		{args: "account limit x y", want: []string{`ACCOUNT: "x"`, `N: "y"`}},
		{args: "user add --email ann --role boss", want: []string{"--email: ", `--role: "boss" is not admin, operator or staff`}},
		{args: "user add --email a@example.com --role staff", want: []string{"--account: "}},
		{args: "user add --email a@example.com --role operator", want: []string{"--account: "}},
		{args: "token add --account x till", want: []string{`--account: "x"`}},
		{args: "bench --seconds 0 --connections x --backlog 0 --deliveries 0 --accounts 0", want: []string{`--seconds: "0"`, `--connections: "x"`, `--backlog: "0"`, `--deliveries: "0"`, `--accounts: "0"`}},
		{args: "healthcheck --listen :0", want: []string{"--listen: port 0"}},
	} {
		t.Run(c.args, func(t *testing.T) {
			_, err := parse(strings.Fields(c.args), c.env.get)
			if _, ok := errors.AsType[usageError](err); !ok {
				t.Fatalf("got %v, want a usage error", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to contain %q", err, want)
				}
			}
		})
	}
}

func TestParseNames(t *testing.T) {
	for name, want := range map[string]string{"": "NAME: Give it a name", "  ": "NAME: Give it a name", strings.Repeat("x", 101): "NAME: Use at most 100"} {
		for _, args := range [][]string{{"account", "add", name}, {"token", "add", "--account", "1", name}} {
			if _, err := parse(args, variables{}.get); err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%q: got %v, want %s…", args, err, want)
			}
		}
	}
	got, err := parse([]string{"account", "add", " Öö ja päev 🌙 "}, variables{}.get)
	if want := (addAccount{"bookhook.db", "Öö ja päev 🌙", 0}); err != nil || got != command(want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestHelp(t *testing.T) {
	for args, wants := range map[string][]string{
		"--help":             {"serve", "demo", "account add", "account limit", "user add", "token add", "platform on", "platform rotate", "client add", "healthcheck", "bench", "version", "--database"},
		"serve --help":       {"--listen", "127.0.0.1:8080", "BOOKHOOK_LISTEN", "BOOKHOOK_DATABASE", "--retention", "BOOKHOOK_LOG_FORMAT"},
		"-h":                 {"Usage: bookhook"},
		"demo --help":        {"BOOKHOOK_LISTEN"},
		"account --help":     {"account add", "account limit"},
		"account add --help": {"--number", "--database"},
		"user add --help":    {"--email", "--role", "admin"},
		"token add --help":   {"--account"},
		"platform on --help": {"--account", "<platform>", "tourcms, prioticket,"},
		"healthcheck --help": {"--listen"},
		"bench --help":       {"--seconds", "--connections", "--backlog", "--full", "--deliveries", "5000000", "--dir", "--json"},
		"version --help":     {"--database"},
	} {
		got, err := parse(strings.Fields(args), variables{}.get)
		help, ok := got.(showHelp)
		if err != nil || !ok {
			t.Errorf("%s: got %+v, %v, want help", args, got, err)
		}
		for _, want := range wants {
			if !strings.Contains(help.text, want) {
				t.Errorf("%s: %q is missing in:\n%s", args, want, help.text)
			}
		}
		if strings.Contains(help.text, "unstored") {
			t.Errorf("%s: got a command that is for bench only in:\n%s", args, help.text)
		}
	}
}
