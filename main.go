// Command bookhook is booking webhooks in one binary: a tour operator says in
// a wizard which booking events are sent where, and Bookhook delivers, retries,
// logs and replays them.
//
//	bookhook                      the app ("bookhook serve"); --help lists its settings
//	bookhook demo                 the app with sample data on a throw-away database
//	bookhook account add NAME     what an admin does without a browser
//	bookhook healthcheck          for containers
//	bookhook bench                how fast it is on this machine
//
// This package is the command line and the wiring:
//
//	config.go    the grammar of the command line, and what becomes of it
//	settings.go  how single values are read and refused
//	serve.go     "serve": the database, the listener, the signals
//	app.go       one running Bookhook, started and stopped in order
//	retention.go forgets what is old, in small batches
//	accounts.go  "account", "user", "token" and "client"
//	platform.go  "platform"
//	demo.go      "demo"; its data are in the package demo
//	health.go    "healthcheck" and "version"
//	bench.go     "bench"; what it measures is in the package bench
//
// Every setting of serve is a flag, a BOOKHOOK_ variable or a default, in this
// order; an empty variable counts as none. The whole command line is read
// before anything is done, by a pure function, and all that is wrong is said in
// one line on stderr.
//
// Exit codes: 0 all is well, 1 it failed, 2 the command line is wrong.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	_ "time/tzdata" // accounts have time zones; the image has none

	"bookhook/webhook"
)

// version is set by the linker.
var version = "dev"

func main() {
	log.SetOutput(io.Discard) // net/http prints there what a misbehaving receiver sends unasked
	os.Exit(run(untilSignal(), os.Args[1:], os.Getenv, streams{os.Stdin, os.Stdout, os.Stderr}))
}

// untilSignal is a context that ends with the first signal to stop; from then
// on the next one kills.
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

// streams are where a command reads and writes. What a script wants to have
// goes to out, words about it to err.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// command is what was asked for, with everything that can be checked checked.
type command interface {
	run(ctx context.Context, std streams) error
}

// run does what the arguments say until it is done or ctx ends, and returns the
// exit code.
func run(ctx context.Context, args []string, getenv func(string) string, std streams) int {
	cmd, err := parse(args, getenv)
	if err == nil {
		err = cmd.run(ctx, std)
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

// usageError is a command line that cannot be followed.
type usageError string

func (e usageError) Error() string { return string(e) }

// oneLine writes an error for the person at the terminal. The problems of an
// Invalid speak for themselves.
func oneLine(err error) string {
	text := err.Error()
	if problems, ok := errors.AsType[webhook.Invalid](err); ok {
		text = strings.Join(slices.SortedFunc(maps.Values(problems), cmp.Compare), " ")
	}
	return strings.ReplaceAll(strings.TrimSpace(text), "\n", "; ")
}
