// Command bookhook provides booking webhooks in one binary: a tour operator chooses
// in a wizard which booking events are sent where, and Bookhook delivers, retries,
// logs and replays them.
//
//	bookhook                      the app ("bookhook serve"); --help lists its settings
//	bookhook demo                 the app with sample data on a throw-away database
//	bookhook account add NAME     administration without a browser; also list and limit
//	bookhook user add             also list, remove and password
//	bookhook token add NAME       also list and revoke
//	bookhook client add NAME      also list and revoke
//	bookhook platform on KEY      also off and rotate
//	bookhook secrets key          also rotate
//	bookhook backup FILE          also restore, move and doctor
//	bookhook healthcheck          for containers
//	bookhook bench                how fast it is on this machine
//	bookhook version              also --version
//
// This package is the command line and the wiring:
//
//	commandline.go  the grammar, and how arguments and environment are parsed
//	settings.go     the types of the flags: how single values are read and refused
//	serve.go        "serve": the database, the listener, the signals
//	app.go          one running Bookhook, started and stopped in order
//	mail.go         the flags of e-mail, and what doctor says of it
//	retention.go    deletes old events and deliveries, in small batches
//	accounts.go     "account"; users.go, tokens.go, clients.go and platforms.go likewise
//	store.go        opens the database for those commands
//	backup.go       "backup", "restore" and "move"; doctor.go is "doctor"
//	secrets.go      "secrets": the key of the secrets in the database
//	list.go         the tables and the JSON of the list commands
//	demo.go         "demo"; its data are in the package demo
//	health.go       "healthcheck" and "version"
//	bench.go        "bench"; what it measures is in the package bench
//
// Every command is one type: its fields are the flags and arguments, Validate
// checks values that depend on one another, Run executes it. Every setting of
// serve is a flag, a BOOKHOOK_ variable or a default, in this order; an empty
// variable counts as unset. The whole command line is parsed before anything is
// done, by a pure function, and everything that is wrong is reported in one line
// on stderr. Only serve, demo, bench, restore and move create a database.
//
// Exit codes: 0 success, 1 failure, 2 wrong usage.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	_ "time/tzdata" // accounts have time zones; the image has none

	"bookhook/messages"
	"bookhook/webhook"
)

// version is set by the linker.
var version = "dev"

func main() {
	os.Exit(run(untilSignal(), os.Args[1:], os.Getenv, streams{os.Stdin, os.Stdout, os.Stderr}))
}

// untilSignal returns a context that ends with the first signal to stop. The
// second signal kills.
func untilSignal() context.Context {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	first := make(chan os.Signal, 1)
	signal.Notify(first, signals...)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-first
		signal.Reset(signals...)
		cancel()
	}()
	return ctx
}

// streams are where a command reads and writes. Results for scripts go to out,
// messages for people to err.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// run executes the command line until it is done or ctx ends, and returns the
// exit code.
func run(ctx context.Context, args []string, getenv func(string) string, std streams) int {
	command, err := parse(args, getenv)
	if err == nil {
		err = command.run(ctx, std)
	}
	if err == nil {
		return 0
	}
	fmt.Fprintln(std.err, "bookhook: "+oneLine(err))
	if _, ok := errors.AsType[usageError](err); ok {
		return 2
	}
	return 1
}

// usageError is a command line that cannot be executed; the exit code is 2.
type usageError string

// Error returns all problems in one line.
func (e usageError) Error() string { return string(e) }

// oneLine formats an error for the person at the terminal. Of an Invalid it
// shows the problems alone, and of a limit that was reached what to do.
func oneLine(err error) string {
	text := err.Error()
	if reached, ok := errors.AsType[webhook.LimitReached](err); ok {
		text = messages.Text(messages.Limit(reached, webhook.DefaultSupport))
	}
	if problems, ok := errors.AsType[webhook.Invalid](err); ok {
		text = strings.Join(slices.Sorted(maps.Values(messages.Problems(problems))), " ")
	}
	return strings.ReplaceAll(strings.TrimSpace(text), "\n", "; ")
}
