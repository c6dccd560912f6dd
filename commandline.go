package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// commandLine is the grammar. Every command is a type with its flags and a Run
// method; the types of the flags (settings.go) check their values. A flag with
// the tag "setting" can also come from the environment.
type commandLine struct {
	Database    databasePath     `setting:"" default:"bookhook.db" placeholder:"PATH|URL" help:"The SQLite file (${default}), or a database of PostgreSQL: postgres://USER@HOST/DATABASE. Only serve, demo, bench, restore and move create one."`
	SecretKey   secretKeyFile    `setting:"" name:"secret-key-file" placeholder:"FILE" help:"The file of the key that encrypts the secrets in the database. Default: they are not encrypted."`
	ShowVersion kong.VersionFlag `name:"version" help:"Print the version."`

	Serve       serveCommand       `cmd:"" default:"withargs" help:"Run Bookhook. This is what bookhook does when no command is given."`
	Demo        demoCommand        `cmd:"" help:"Run Bookhook on a throw-away database with a sample account, receivers and bookings."`
	Account     accountCommands    `cmd:"" help:"Accounts, one for each tour operator."`
	User        userCommands       `cmd:"" help:"People who sign in."`
	Token       tokenCommands      `cmd:"" help:"Tokens for the JSON API."`
	Platform    platformCommands   `cmd:"" help:"Booking platforms that send their events to an account."`
	Client      clientCommands     `cmd:"" help:"Clients of the Prioticket-compatible API."`
	Secrets     secretsCommands    `cmd:"" help:"The key that encrypts the secrets in the database."`
	Backup      backupCommand      `cmd:"" help:"Copy the database to a new file, also while Bookhook is running; the copy is checked."`
	Restore     restoreCommand     `cmd:"" help:"Put a backup in the place of the database, which is kept under another name, or into an empty one of PostgreSQL. Stop Bookhook first."`
	Move        moveCommand        `cmd:"" help:"Copy everything into a database of the other kind, SQLite or PostgreSQL, and verify it. Stop Bookhook first."`
	Doctor      doctorCommand      `cmd:"" help:"Check database, disk, clock, addresses, the names of receivers and the mail server; exit 1 if something is wrong."`
	Healthcheck healthcheckCommand `cmd:"" help:"Ask a running Bookhook whether it is healthy; exit 0 if it is."`
	Bench       benchCommand       `cmd:"" help:"Measure how fast Bookhook is on this machine, and what the machine could do at best; exit 0 if that is enough."`
	Version     versionCommand     `cmd:"" help:"Print the version."`

	BenchUnstored unstoredCommand `cmd:"" hidden:"" help:"Run a Bookhook that stores no events, for bench."`
}

// invocation is a valid command line: a command that can run, or a text to print.
type invocation struct {
	line   *commandLine
	parsed *kong.Context
	text   string // the help or the version; "" if there is a command
}

// run executes the command. It injects what the Run methods take: the context,
// the streams and the database.
func (c invocation) run(ctx context.Context, std streams) error {
	if c.text != "" {
		_, err := io.WriteString(std.out, c.text)
		return err
	}
	c.parsed.BindTo(ctx, (*context.Context)(nil))
	return c.parsed.Run(std, database{path: c.line.Database, key: c.line.SecretKey})
}

// parse parses the command line and the environment, and does nothing else. Its
// error is a usageError that names everything that is wrong.
func parse(args []string, getenv func(string) string) (invocation, error) {
	if i := slices.IndexFunc(args, negative); i >= 0 {
		return invocation{}, usageError(args[i] + ": no number here can be negative")
	}
	c := invocation{line: new(commandLine)}
	wrong := &problems{source: map[string]string{}}
	var text bytes.Buffer
	exited := false // kong has written the help or the version
	parser, err := kong.New(c.line,
		kong.Name("bookhook"),
		kong.Description("Booking webhooks for tour operators: delivered, retried, logged, replayable."),
		kong.Writers(&text, io.Discard),
		kong.Exit(func(int) { exited = true }),
		kong.Resolvers(environment(getenv, wrong.source)),
		kong.PostBuild(wrong.collect),
		kong.ValueFormatter(withVariable),
		kong.Vars{"platforms": strings.Join(platformKeys(), ", "), "version": versionText()},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil { // the grammar is wrong, which the first test notices
		panic(err)
	}
	if slices.Equal(args, []string{"help"}) {
		args = []string{"--help"}
	}
	c.parsed, err = parser.Parse(args)
	if exited {
		return invocation{text: text.String()}, nil
	}
	return c, wrong.all(err)
}

// negative reports whether the argument is a negative number, which kong would
// take for a flag.
func negative(arg string) bool {
	_, err := strconv.ParseFloat(arg, 64)
	return err == nil && arg[0] == '-'
}

// variable returns the name of a setting in the environment.
func variable(flag string) string {
	return "BOOKHOOK_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// environment looks up settings without a flag in the environment. It records in
// source which variable the value of a flag is from.
func environment(getenv func(string) string, source map[string]string) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if !flag.Tag.Has("setting") {
			return nil, nil
		}
		value := getenv(variable(flag.Name))
		if value == "" {
			return nil, nil
		}
		source[flag.Name] = variable(flag.Name)
		return value, nil
	})
}

// withVariable returns the help of a flag with the name of its variable.
func withVariable(value *kong.Value) string {
	if value.Tag.Has("setting") {
		return value.Help + " [" + variable(value.Name) + "]"
	}
	return value.Help
}

// problem is one thing that is wrong with a command line.
type problem struct {
	name string // of a flag ("--account"), a variable or an argument ("NAME")
	text string
}

// Error returns the problem as it is printed.
func (p problem) Error() string { return p.name + ": " + strings.TrimSuffix(p.text, ".") }

// problems collects everything that is wrong with a command line. Kong itself
// stops at the first wrong value.
type problems struct {
	source map[string]string // name of a flag → the variable its value came from
	found  []string
	named  []string // the names in found
}

// collect makes all values of the grammar report their problems here.
func (p *problems) collect(k *kong.Kong) error {
	return kong.Visit(k.Model, func(node kong.Visitable, next kong.Next) error {
		if value, ok := node.(*kong.Value); ok {
			value.Mapper = collector{value.Mapper, p}
		}
		return next(nil)
	})
}

func (p *problems) add(wrong problem) {
	if slices.Contains(p.named, wrong.name) {
		return // a second problem of a flag is a consequence of the first
	}
	p.named = append(p.named, wrong.name)
	p.found = append(p.found, wrong.Error())
}

// all returns a usageError of what was collected and of the error at which kong
// stopped, or nil if there is neither.
func (p *problems) all(err error) error {
	if wrong, ok := errors.AsType[problem](err); ok { // from a Validate
		p.add(wrong)
	} else if err != nil {
		p.found = append(p.found, err.Error())
	}
	if len(p.found) == 0 {
		return nil
	}
	return usageError(strings.Join(p.found, "; "))
}

// collector is a kong mapper that adds what is wrong with a value to the problems,
// so that parsing can continue.
type collector struct {
	kong.Mapper
	problems *problems
}

// Decode reads the value. It fails only if there is none.
func (c collector) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	given := ctx.Scan.Peek().IsValue()
	err := c.Mapper.Decode(ctx, target)
	if err == nil || !given {
		return err
	}
	name := strings.ToUpper(ctx.Value.Name)
	if ctx.Value.Flag != nil {
		name = cmp.Or(c.problems.source[ctx.Value.Name], "--"+ctx.Value.Name)
	}
	c.problems.add(problem{name, err.Error()})
	return nil
}
