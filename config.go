package main

import (
	"bytes"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"bookhook/webhook"
)

// commandLine is the grammar. Values stay as they were typed, so that all that
// is wrong with them can be said at once; check turns each command's flags into
// the command. A flag with the tag "setting" can come from the environment.
type commandLine struct {
	Database string `setting:"" default:"bookhook.db" placeholder:"PATH" help:"The SQLite file (${default}); it is made when it is not there."`

	Serve       serveFlags       `cmd:"" default:"withargs" help:"Run Bookhook. This is what bookhook does when no command is given."`
	Demo        demoFlags        `cmd:"" help:"Run Bookhook on a throw-away database with a sample account, receivers and bookings."`
	Account     accountFlags     `cmd:"" help:"Accounts, one for each tour operator."`
	User        userFlags        `cmd:"" help:"People who sign in."`
	Token       tokenFlags       `cmd:"" help:"Tokens for the JSON API."`
	Platform    platformFlags    `cmd:"" help:"Booking platforms that send their events to an account."`
	Client      clientFlags      `cmd:"" help:"Clients of the Prioticket-compatible API."`
	Healthcheck healthcheckFlags `cmd:"" help:"Ask a running Bookhook whether it is well; exit 0 when it is."`
	Bench       benchFlags       `cmd:"" help:"Measure how fast Bookhook is on this machine, and what the machine could do at best; exit 0 when that is enough."`
	Version     versionFlags     `cmd:"" help:"Print the version."`

	BenchUnstored unstoredFlags `cmd:"" hidden:"" help:"Run a Bookhook that stores no events, for bench."`
}

type serveFlags struct {
	Listen              string `setting:"" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where to listen (${default}); \":8080\" is every address, port 0 any free one."`
	BaseURL             string `setting:"" name:"base-url" placeholder:"URL" help:"How people reach Bookhook when it is behind a proxy, such as https://hooks.example.com."`
	AllowPrivateTargets string `setting:"" placeholder:"CIDR,…" help:"Private addresses that webhooks may call, such as 10.0.0.0/8, or all. Default: none."`
	TrustedProxies      string `setting:"" placeholder:"CIDR,…" help:"Proxies whose X-Forwarded-For is believed. Default: none."`
	Retention           string `setting:"" default:"90" placeholder:"DAYS" help:"How long events and deliveries are kept (${default} days)."`
	LogFormat           string `setting:"" default:"text" placeholder:"FORMAT" help:"text or json (${default})."`
	LogLevel            string `setting:"" default:"info" placeholder:"LEVEL" help:"debug, info, warn or error (${default})."`
}

func (f serveFlags) check(in *input) command {
	return serve{
		database: in.database(),
		listen:   in.address("listen", f.Listen),
		baseURL:  in.baseURL("base-url", f.BaseURL),
		guard:    in.guard(f.AllowPrivateTargets),
		proxies:  in.networks("trusted-proxies", f.TrustedProxies),
		keep:     24 * time.Hour * time.Duration(in.number("retention", f.Retention, 1, 36500)),
		log:      logging{in.oneOf("log-format", f.LogFormat, "text", "json"), in.level("log-level", f.LogLevel)},
	}
}

type demoFlags struct {
	Listen string `setting:"" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where to listen (${default}); a free port when this one is taken."`
}

func (f demoFlags) check(in *input) command {
	return runDemo{listen: in.address("listen", f.Listen)}
}

type accountFlags struct {
	Add   addAccountFlags `cmd:"" help:"Add an account and print its number."`
	Limit setLimitFlags   `cmd:"" help:"Set how many asynchronous webhooks an account may have."`
}

type addAccountFlags struct {
	Name   string `arg:"" help:"The tour operator's name."`
	Number string `placeholder:"N" help:"The account's number, such as the account_id that TourCMS gave. Default: the next free one."`
}

func (f addAccountFlags) check(in *input) command {
	name, problem := webhook.CheckName(f.Name)
	if problem != "" {
		in.wrong("NAME", "%s", problem)
	}
	return addAccount{database: in.database(), name: name, number: in.accountNumber("--number", f.Number)}
}

type setLimitFlags struct {
	Account string `arg:"" help:"The account's number."`
	Limit   string `arg:"" name:"n" help:"How many asynchronous webhooks it may have."`
}

func (f setLimitFlags) check(in *input) command {
	return setLimit{
		database: in.database(), account: in.accountNumber("ACCOUNT", f.Account),
		limit: in.number("N", f.Limit, 0, maxLimit),
	}
}

type userFlags struct {
	Add      addUserFlags     `cmd:"" help:"Add somebody who signs in. The password is read from standard input, or made up and printed."`
	Password setPasswordFlags `cmd:"" help:"Give somebody a new password, read or made up as by add, and sign them out everywhere."`
}

type addUserFlags struct {
	Email   string `required:"" placeholder:"E-MAIL" help:"The address to sign in with."`
	Role    string `required:"" placeholder:"ROLE" help:"admin (of all accounts), operator (everything in one account) or staff (see, test and replay)."`
	Account string `placeholder:"N" help:"The number of the account; an admin can be without one."`
}

func (f addUserFlags) check(in *input) command {
	email := in.email("email", f.Email)
	role := webhook.Role(in.oneOf("role", f.Role, roleTexts()...))
	if f.Account == "" && (role == webhook.RoleOperator || role == webhook.RoleStaff) {
		in.wrong("--account", "give the number of the account; only an admin can be without one")
	}
	return addUser{database: in.database(), email: email, role: role, account: in.accountNumber("--account", f.Account)}
}

type setPasswordFlags struct {
	Email string `required:"" placeholder:"E-MAIL" help:"The address they sign in with."`
}

func (f setPasswordFlags) check(in *input) command {
	return setPassword{database: in.database(), email: in.email("email", f.Email)}
}

type tokenFlags struct {
	Add addTokenFlags `cmd:"" help:"Make a token for the JSON API and print it, once."`
}

type addTokenFlags struct {
	Account string `required:"" placeholder:"N" help:"The number of the account that the token is for."`
	Name    string `arg:"" help:"What the token is for, such as the booking system's name."`
}

func (f addTokenFlags) check(in *input) command {
	name, problem := webhook.CheckName(f.Name)
	if problem != "" {
		in.wrong("NAME", "%s", problem)
	}
	return addToken{database: in.database(), account: in.accountNumber("--account", f.Account), name: name}
}

type platformFlags struct {
	On     platformOnFlags     `cmd:"" help:"Switch a platform on and print the path of the address to which it sends."`
	Off    platformOffFlags    `cmd:"" help:"Switch a platform off; what it still sends is kept, and no webhook is told of it."`
	Rotate platformRotateFlags `cmd:"" help:"Make a new address and print its path; the one before is good for another 7 days."`
}

type changePlatformFlags struct {
	Account  string `required:"" placeholder:"N" help:"The number of the account."`
	Platform string `arg:"" help:"The platform: ${platforms}."`
}

func (f changePlatformFlags) to(change platformChange, in *input) command {
	return changePlatform{
		database: in.database(), account: in.accountNumber("--account", f.Account),
		platform: in.oneOf("PLATFORM", f.Platform, platformKeys()...), change: change,
	}
}

type platformOnFlags struct{ changePlatformFlags }

func (f platformOnFlags) check(in *input) command { return f.to(platformOn, in) }

type platformOffFlags struct{ changePlatformFlags }

func (f platformOffFlags) check(in *input) command { return f.to(platformOff, in) }

type platformRotateFlags struct{ changePlatformFlags }

func (f platformRotateFlags) check(in *input) command { return f.to(platformRotate, in) }

type clientFlags struct {
	Add addClientFlags `cmd:"" help:"Make a client and print its client_id and client_secret, once."`
}

type addClientFlags struct {
	Account string `required:"" placeholder:"N" help:"The number of the account of which the client manages the webhooks."`
	Name    string `arg:"" help:"What the client is, such as the reseller's name."`
}

func (f addClientFlags) check(in *input) command {
	name, problem := webhook.CheckName(f.Name)
	if problem != "" {
		in.wrong("NAME", "%s", problem)
	}
	return addClient{database: in.database(), account: in.accountNumber("--account", f.Account), name: name}
}

type healthcheckFlags struct {
	Listen string `setting:"" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where the Bookhook to ask listens (${default})."`
}

func (f healthcheckFlags) check(in *input) command {
	return healthcheck{url: in.healthURL("listen", f.Listen)}
}

type benchFlags struct {
	Seconds     string `default:"30" placeholder:"N" help:"How long each measurement lasts (${default} s)."`
	Connections string `default:"128" placeholder:"N" help:"How many senders of events there are (${default})."`
	Backlog     string `placeholder:"N" help:"How long a backlog grows in front of a slow receiver, in seconds. Default: 4 times --seconds."`
	Full        bool   `help:"Measure also with a full table and a thousand webhooks, and with one receiver in ten dead or slow. It takes twenty minutes and 20 GB of disk."`
	Deliveries  string `default:"5000000" placeholder:"N" help:"How many deliveries the full table has (${default})."`
	Accounts    string `default:"100" placeholder:"N" help:"How many accounts the full table has, with ten webhooks each (${default})."`
	Dir         string `placeholder:"FOLDER" help:"Where the databases are made, on the disk to be measured; the full table stays there for the next time. Default: a temporary folder."`
	JSON        string `name:"json" placeholder:"FILE" help:"Where all figures are written as JSON; - is standard output, and the table goes to standard error."`
}

func (f benchFlags) check(in *input) command {
	var backlog int
	if f.Backlog != "" {
		backlog = in.number("backlog", f.Backlog, 1, 36_000)
	}
	return runBench{
		time:        time.Second * time.Duration(in.number("seconds", f.Seconds, 1, 600)),
		connections: in.number("connections", f.Connections, 1, 1000),
		backlog:     time.Second * time.Duration(backlog),
		full:        f.Full,
		deliveries:  in.number("deliveries", f.Deliveries, 1, 100_000_000),
		accounts:    in.number("accounts", f.Accounts, 1, 10_000),
		dir:         f.Dir,
		json:        f.JSON,
	}
}

type unstoredFlags struct{}

func (unstoredFlags) check(in *input) command { return runUnstored{database: in.database()} }

type versionFlags struct{}

func (versionFlags) check(*input) command { return showVersion{} }

// parse reads the command line and the environment; it looks at nothing else.
// Its error is a usageError that names everything that is wrong.
func parse(args []string, getenv func(string) string) (command, error) {
	if i := slices.IndexFunc(args, negative); i >= 0 {
		return nil, usageError(args[i] + ": no number here can be negative")
	}
	var grammar commandLine
	var help bytes.Buffer
	helped := false
	in := &input{origin: map[string]string{}}
	parser, err := kong.New(&grammar,
		kong.Name("bookhook"),
		kong.Description("Booking webhooks for tour operators: delivered, retried, logged, replayable."),
		kong.Writers(&help, io.Discard),
		kong.Exit(func(int) { helped = true }),
		kong.Resolvers(environment(getenv, in.origin)),
		kong.ValueFormatter(withVariable),
		kong.Vars{"platforms": strings.Join(platformKeys(), ", ")},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil { // the grammar is wrong, which the first test notices
		panic(err)
	}
	parsed, err := parser.Parse(args)
	if helped {
		return showHelp{help.String()}, nil
	}
	if err != nil {
		return nil, usageError(err.Error())
	}
	flags, ok := parsed.Selected().Target.Addr().Interface().(interface{ check(in *input) command })
	if !ok { // kong refuses "account" without "add" itself
		return nil, usageError("give a command; bookhook --help lists them")
	}
	in.line = grammar
	cmd := flags.check(in)
	return cmd, in.err()
}

// negative tells a negative number, which would be taken for a flag.
func negative(arg string) bool {
	_, err := strconv.ParseFloat(arg, 64)
	return err == nil && arg[0] == '-'
}

// variable is the name of a setting in the environment.
func variable(flag string) string {
	return "BOOKHOOK_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// environment looks settings up and notes where each came from, for messages.
func environment(getenv func(string) string, origin map[string]string) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if !flag.Tag.Has("setting") {
			return nil, nil
		}
		value := getenv(variable(flag.Name))
		if value == "" {
			return nil, nil
		}
		origin[flag.Name] = variable(flag.Name)
		return value, nil
	})
}

// withVariable is the help of a flag with its name in the environment.
func withVariable(value *kong.Value) string {
	if value.Tag.Has("setting") {
		return value.Help + " [" + variable(value.Name) + "]"
	}
	return value.Help
}
