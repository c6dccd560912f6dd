package main

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"bookhook/webhook"
)

// variables is an environment.
type variables map[string]string

func (v variables) get(name string) string { return v[name] }

// selected returns the command that a command line selects, and the database.
func selected(args []string, env variables) (command any, database databasePath, err error) {
	c, err := parse(args, env.get)
	if err != nil {
		return nil, "", err
	}
	return c.parsed.Selected().Target.Interface(), c.line.Database, nil
}

func targets(t *testing.T, text string) (targets privateTargets) {
	t.Helper()
	if err := targets.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return targets
}

// defaults is what "bookhook" without anything does.
func defaults() serveCommand {
	return serveCommand{
		Listen: "127.0.0.1:8080", Support: webhook.DefaultSupport, PerAddress: 256, Retention: 90, LogFormat: "text", LogLevel: logLevel(slog.LevelInfo),
	}
}

func TestParseServe(t *testing.T) {
	with := func(change func(s *serveCommand)) serveCommand {
		s := defaults()
		change(&s)
		return s
	}
	everything := serveCommand{
		Listen: ":9000", BaseURL: "https://hooks.example.com:8443", Support: "support@example.com", AllowPrivateTargets: targets(t, "10.0.0.0/8,192.168.1.5"),
		TrustedProxies: networks{
			netip.MustParsePrefix("10.1.2.0/24"), netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("2001:db8::1/128"),
		},
		Mail:       mailFlags{Server: mailServer{Host: "mail.example.com", Port: "587", User: "me", Password: "p@ss"}, From: mailAddress{Address: "bookhook@example.com"}},
		PerAddress: 20, Retention: 1, LogFormat: "json", LogLevel: logLevel(slog.LevelDebug),
	}
	const database = "bookhook.db"
	for _, c := range []struct {
		name     string
		args     string
		env      variables
		database databasePath
		want     serveCommand
	}{
		{"nothing", "", nil, database, defaults()},
		{"serve", "serve", nil, database, defaults()},
		{"flags without a command", "--listen 127.0.0.1:0", nil, database, with(func(s *serveCommand) { s.Listen = "127.0.0.1:0" })},
		{"database before the command", "--database x.db serve", nil, "x.db", defaults()},
		{"database after the command", "serve --database=x.db", nil, "x.db", defaults()},
		{
			"environment", "",
			variables{"BOOKHOOK_LISTEN": ":8080", "BOOKHOOK_DATABASE": "/data/bookhook.db"},
			"/data/bookhook.db", with(func(s *serveCommand) { s.Listen = ":8080" }),
		},
		{
			"flags over environment", "serve --listen [::1]:1",
			variables{"BOOKHOOK_LISTEN": ":8080"},
			database, with(func(s *serveCommand) { s.Listen = "[::1]:1" }),
		},
		{
			"a wrong variable behind a flag", "serve --retention 1",
			variables{"BOOKHOOK_RETENTION": "x"},
			database, with(func(s *serveCommand) { s.Retention = 1 }),
		},
		{"an empty variable is none", "serve", variables{"BOOKHOOK_LISTEN": "", "BOOKHOOK_RETENTION": ""}, database, defaults()},
		{"all targets", "--allow-private-targets all", nil, database, with(func(s *serveCommand) { s.AllowPrivateTargets = targets(t, "all") })},
		{"every flag", "serve --database /data/b.db --listen :9000 --base-url https://hooks.example.com:8443/ " +
			"--allow-private-targets 10.0.0.0/8,192.168.1.5 --trusted-proxies 10.1.2.3/24,192.0.2.1,2001:db8::1 " +
			"--connections-per-address 20 --retention 1 --support support@example.com --mail smtp://me:p%40ss@mail.example.com:587 --mail-from bookhook@example.com --log-format json --log-level debug", nil, "/data/b.db", everything},
		{"every variable", "", variables{
			"BOOKHOOK_DATABASE": "/data/b.db", "BOOKHOOK_LISTEN": ":9000", "BOOKHOOK_BASE_URL": "https://hooks.example.com:8443",
			"BOOKHOOK_ALLOW_PRIVATE_TARGETS": "10.0.0.0/8, 192.168.1.5", "BOOKHOOK_TRUSTED_PROXIES": "10.1.2.3/24, 192.0.2.1 , 2001:db8::1",
			"BOOKHOOK_CONNECTIONS_PER_ADDRESS": "20", "BOOKHOOK_RETENTION": "1", "BOOKHOOK_SUPPORT": "support@example.com",
			"BOOKHOOK_LOG_FORMAT": "json", "BOOKHOOK_LOG_LEVEL": "debug",
			"BOOKHOOK_MAIL": "smtp://me:p%40ss@mail.example.com:587", "BOOKHOOK_MAIL_FROM": "bookhook@example.com",
		}, "/data/b.db", everything},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, path, err := selected(strings.Fields(c.args), c.env)
			if err != nil || !reflect.DeepEqual(got, any(c.want)) || path != c.database {
				t.Errorf("got %+v with %s, %v, want %+v with %s", got, path, err, c.want, c.database)
			}
		})
	}
}

func TestParseCommands(t *testing.T) {
	env := variables{"BOOKHOOK_DATABASE": "d.db", "BOOKHOOK_LISTEN": ":8080"}
	ada := platformArgs{Account: 4069, Platform: "tourcms"}
	for args, want := range map[string]any{
		"demo":                      demoCommand{":8080"},
		"demo --listen 127.0.0.1:0": demoCommand{"127.0.0.1:0"},
		"account add Night":         accountAdd{"Night", 0},
		"account add Night --number 4069 --database e.db":            accountAdd{"Night", 4069},
		"account limit 4069 25":                                      accountLimit{4069, 25},
		"account limit 4069 0":                                       accountLimit{4069, 0},
		"account list":                                               accountList{},
		"account list --json":                                        accountList{listFlags{true}},
		"user add --email Ann@Example.com --role admin":              userAdd{"ann@example.com", userRole(webhook.RoleAdmin), 0},
		"user add --email a@example.com --role staff --account 4069": userAdd{"a@example.com", userRole(webhook.RoleStaff), 4069},
		"user password --email Ann@Example.com":                      userPassword{"ann@example.com"},
		"user list":                                                  userList{},
		"user list --account 4069 --json":                            userList{listFlags{true}, 4069},
		"user remove --email Ann@Example.com":                        userRemove{"ann@example.com"},
		"token add --account 4069 till":                              tokenAdd{4069, "till"},
		"token list --account 4069":                                  tokenList{Account: 4069},
		"token revoke --account 4069 tok_0000000000002":              tokenRevoke{4069, 1},
		"platform on --account 4069 tourcms":                         platformOn{ada},
		"platform off wink --account 4069":                           platformOff{platformArgs{4069, "wink"}},
		"platform rotate --account 4069 ltd --database e.db":         platformRotate{platformArgs{4069, "ltd"}},
		"client add --account 4069 reseller":                         clientAdd{4069, "reseller"},
		"client list --account 4069 --json":                          clientList{listFlags{true}, 4069},
		"client revoke --account 4069 cli0000000000002":              clientRevoke{4069, 1},
		"client revoke --account 4069 cli_0000000000002":             clientRevoke{4069, 1},
		"healthcheck":                                                healthcheckCommand{"http://127.0.0.1:8080/healthz"},
		"healthcheck --listen 0.0.0.0:81":                            healthcheckCommand{"http://127.0.0.1:81/healthz"},
		"healthcheck --listen [::]:81":                               healthcheckCommand{"http://[::1]:81/healthz"},
		"healthcheck --listen 192.0.2.7:81":                          healthcheckCommand{"http://192.0.2.7:81/healthz"},
		"healthcheck --listen localhost:81":                          healthcheckCommand{"http://localhost:81/healthz"},
		"bench":                                                      benchCommand{Seconds: 30, Connections: 128, Deliveries: 5_000_000, Accounts: 100},
		"bench --seconds 1 --connections 2 --backlog 5 --full --deliveries 3 --accounts 4 --dir x --json -": benchCommand{1, 2, 5, true, 3, 4, "x", "-"},
		"bench-unstored": unstoredCommand{},
		"secrets key":    secretsKey{},
		"secrets rotate --new-secret-key-file new.key --secret-key-file old.key": secretsRotate{"new.key"},
		"version":                 versionCommand{},
		"version --database e.db": versionCommand{},
	} {
		got, database, err := selected(strings.Fields(args), env)
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", args, got, err, want)
		}
		if want := databasePath("d.db"); !strings.Contains(args, "--database") && database != want || strings.Contains(args, "--database") && database != "e.db" {
			t.Errorf("%s: got the database %s", args, database)
		}
	}
}

// TestCommandsRun: every command has a Run method that gets what it takes.
func TestCommandsRun(t *testing.T) {
	parser, err := kong.New(new(commandLine), kong.Vars{"platforms": "", "version": ""})
	if err != nil {
		t.Fatal(err)
	}
	given := []reflect.Type{reflect.TypeFor[context.Context](), reflect.TypeFor[streams](), reflect.TypeFor[database]()}
	for _, command := range parser.Model.Leaves(false) {
		method, ok := command.Target.Type().MethodByName("Run")
		if !ok {
			t.Errorf("%s: got no Run method", command.Path())
			continue
		}
		for i := 1; i < method.Type.NumIn(); i++ {
			if !slices.Contains(given, method.Type.In(i)) {
				t.Errorf("%s: Run takes a %s, which invocation.run does not give", command.Path(), method.Type.In(i))
			}
		}
	}
}

// wrongLine is a command line that is refused.
type wrongLine struct {
	args string
	env  variables
	want []string // all of these in one line
}

func TestParseProblems(t *testing.T) {
	checkProblems(t, []wrongLine{
		{args: "sevre", want: []string{"unexpected argument sevre"}},
		{args: "--lisen x", want: []string{`unknown flag --lisen, did you mean "--listen"?`}},
		{args: "demo --retention 1", want: []string{"unknown flag --retention"}},
		{args: "serve --secret-key-file=", want: []string{"--secret-key-file: give the path of a file with a key"}},
		{args: "secrets rotate", want: []string{"--new-secret-key-file"}},
		{args: "account", want: []string{`expected one of "add", "limit"`}},
		{args: "account add", want: []string{"<name>"}},
		{args: "user add", want: []string{"--email", "--role"}},
		{args: "token add till", want: []string{"--account"}},
		{args: "token revoke --account x cli_0000000000002", want: []string{`--account: "x"`, `TOKEN_ID: tok id "cli_0000000000002": not found`}},
		{args: "client revoke --account 4069", want: []string{"<client_id>"}},
		{args: "user list --account x", want: []string{`--account: "x"`}},
		{args: "user remove", want: []string{"--email"}},
		{args: "user add --email ann", want: []string{"--email: ", "--role"}},
		{args: "user add --email ann --role staff", want: []string{"--email: ", "--account: "}},
		{args: "platform", want: []string{`expected one of "on", "off", "rotate"`}},
		{args: "platform on", want: []string{"--account"}},
		{args: "platform on --account 1", want: []string{"<platform>"}},
		{args: "platform rotate --account x Wink", want: []string{`--account: "x"`, `PLATFORM: "Wink" is not tourcms, prioticket,`}},
		{args: "client add reseller", want: []string{"--account"}},
		{args: "account add X --database mysql://b", want: []string{"--database", "mysql://"}},
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
	})
}

func TestParseProblemsOfSettings(t *testing.T) {
	checkProblems(t, []wrongLine{
		{args: "serve --number 1", want: []string{"unknown flag --number"}},
		{args: "serve --retention x --nonsense", want: []string{`--retention: "x"`, "unknown flag --nonsense"}},
		{env: variables{"BOOKHOOK_ALLOW_PRIVATE_TARGETS": "home"}, want: []string{`BOOKHOOK_ALLOW_PRIVATE_TARGETS: "home"`}},
		{args: "serve --listen 8080", want: []string{`--listen: "8080" is not HOST:PORT`}},
		{args: "serve --listen :http", want: []string{"--listen", "port", ":http"}},
		{args: "serve --listen :65536", want: []string{"--listen", ":65536"}},
		{args: "serve --listen=", want: []string{"--listen"}},
		{args: "serve --database=", want: []string{"--database"}},
		{args: "serve --database mysql://u:p@db/b", want: []string{"--database: mysql:// is no database that Bookhook knows"}},
		{env: variables{"BOOKHOOK_DATABASE": "Postgres:///b"}, want: []string{"BOOKHOOK_DATABASE: Postgres:// is no database"}},
		{args: "serve --base-url hooks.example.com", want: []string{"--base-url"}},
		{args: "serve --base-url ftp://example.com", want: []string{"--base-url"}},
		{args: "serve --base-url https://example.com/hooks", want: []string{"--base-url", "host of its own"}},
		{args: "serve --base-url https://u:p@example.com", want: []string{"--base-url"}},
		{args: "serve --allow-private-targets 10.0.0.0/8,home", want: []string{`--allow-private-targets: "home"`}},
		{args: "serve --trusted-proxies proxy", want: []string{`--trusted-proxies: "proxy"`}},
		{args: "serve --retention 0", want: []string{`--retention: "0"`, "from 1"}},
		{args: "serve --retention -1", want: []string{"-1", "negative"}},
		{args: "serve --retention 1.5", want: []string{`--retention: "1.5"`}},
		{args: "serve --mail smtp://me:geheim@", want: []string{"--mail: use a URL such as smtp://"}},
		{args: "serve --mail mail.example.com --mail-from x", want: []string{"--mail: use a URL", `--mail-from: "x" is not an address`}},
		{env: variables{"BOOKHOOK_MAIL": "smtp://me:geheim%@mail.example.com"}, want: []string{"BOOKHOOK_MAIL: this is not a URL"}},
		{args: "serve --mail smtp://me:geheim@mail.example.com", want: []string{"--mail-from: give the address"}},
		{args: "doctor --mail-file x", want: []string{"--mail-from: give the address"}},
		{args: "serve --mail-from a@example.com", want: []string{"--mail: give the URL of the mail server"}},
		{args: "serve --mail smtp://mail.example.com --mail-file x --mail-from a@example.com", want: []string{"--mail-file: give the URL of the mail server once"}},
		{args: "serve --mail-file= --mail-from a@example.com", want: []string{"--mail-file: give the path"}},
		{args: "serve --log-format xml", want: []string{`--log-format: "xml" is not text or json`}},
		{args: "serve --log-level loud", want: []string{`--log-level: "loud" is not debug, info, warn or error`}},
		{
			args: "serve --retention no --log-level loud", env: variables{"BOOKHOOK_LISTEN": "nowhere", "BOOKHOOK_TRUSTED_PROXIES": "a,b"},
			want: []string{"BOOKHOOK_LISTEN: ", "--retention: ", "--log-level: ", `BOOKHOOK_TRUSTED_PROXIES: "a"`, `"b"`},
		},
	})
}

func checkProblems(t *testing.T, lines []wrongLine) {
	t.Helper()
	for _, c := range lines {
		t.Run(c.args, func(t *testing.T) {
			_, err := parse(strings.Fields(c.args), c.env.get)
			if _, ok := errors.AsType[usageError](err); !ok {
				t.Fatalf("got %v, want a usage error", err)
			}
			if strings.Contains(err.Error(), "geheim") {
				t.Errorf("got %q, which has the password", err)
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
	for name, want := range map[string]string{"": "NAME: Enter a name", "  ": "NAME: Enter a name", strings.Repeat("x", 101): "NAME: Use at most 100"} {
		for _, args := range [][]string{{"account", "add", name}, {"token", "add", "--account", "1", name}} {
			if _, err := parse(args, variables{}.get); err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%q: got %v, want %s…", args, err, want)
			}
		}
	}
	got, _, err := selected([]string{"account", "add", " Öö ja päev 🌙 "}, variables{})
	if want := (accountAdd{"Öö ja päev 🌙", 0}); err != nil || got != any(want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestHelp(t *testing.T) {
	for args, wants := range map[string][]string{
		"help":               {"serve", "--database"},
		"--help":             {"serve", "demo", "account add", "account limit", "user add", "token add", "platform on", "platform rotate", "client add", "account list", "user list", "user remove", "token list", "token revoke", "client list", "client revoke", "secrets key", "secrets rotate", "healthcheck", "bench", "version", "--database", "--version"},
		"serve --help":       {"--mail", "BOOKHOOK_MAIL_FILE", "BOOKHOOK_MAIL_FROM", "--listen", "127.0.0.1:8080", "BOOKHOOK_LISTEN", "BOOKHOOK_DATABASE", "--retention", "BOOKHOOK_LOG_FORMAT"},
		"-h":                 {"Usage: bookhook"},
		"demo --help":        {"BOOKHOOK_LISTEN"},
		"account --help":     {"account add", "account limit"},
		"account add --help": {"--number", "--database"},
		"user add --help":    {"--email", "--role", "admin"},
		"token add --help":   {"--account"},
		"platform on --help": {"--account", "<platform>", "tourcms, prioticket,"},
		"healthcheck --help": {"--listen"},
		"bench --help":       {"--seconds", "--connections", "--backlog", "--full", "--deliveries", "5000000", "--dir", "--json"},
		"version --help":     {"--database", "--secret-key-file", "BOOKHOOK_SECRET_KEY_FILE"},
	} {
		got, err := parse(strings.Fields(args), variables{}.get)
		if err != nil || got.text == "" {
			t.Errorf("%s: got %+v, %v, want help", args, got, err)
		}
		for _, want := range wants {
			if !strings.Contains(got.text, want) {
				t.Errorf("%s: %q is missing in:\n%s", args, want, got.text)
			}
		}
		if strings.Contains(got.text, "unstored") {
			t.Errorf("%s: got a command that is for bench only in:\n%s", args, got.text)
		}
	}
}
