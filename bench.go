package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"time"

	"bookhook/bench"
	"bookhook/db"
	"bookhook/dispatch/guard"
	"bookhook/seal"
)

type benchCommand struct {
	Seconds     number `default:"30" min:"1" max:"600" placeholder:"N" help:"How long each measurement lasts (${default} s)."`
	Connections number `default:"128" min:"1" max:"1000" placeholder:"N" help:"How many senders of events there are (${default})."`
	Backlog     number `min:"1" max:"36000" placeholder:"N" help:"How long a backlog grows in front of a slow receiver, in seconds. Default: 4 times --seconds."`
	Full        bool   `help:"Measure also with a full table and a thousand webhooks, with one receiver in ten dead or slow, and with a backlog of 500,000. It takes half an hour and 20 GB of disk."`
	Deliveries  number `default:"5000000" min:"1" max:"100000000" placeholder:"N" help:"How many deliveries the full table has (${default})."`
	Accounts    number `default:"100" min:"1" max:"10000" placeholder:"N" help:"How many accounts the full table has, with ten webhooks each (${default})."`
	Dir         string `placeholder:"FOLDER" help:"Where the databases are created, on the disk to be measured; the full table stays there for the next time. Default: a temporary folder."`
	JSON        string `name:"json" placeholder:"FILE" help:"Where all figures are written as JSON; - is standard output, and the table goes to standard error."`
}

// Run measures this very binary.
func (c benchCommand) Run(ctx context.Context, std streams, at database) error {
	return c.measure(ctx, c.Seconds.seconds(), at, std)
}

// mustBeNew refuses a database on a server that has tables of Bookhook.
func mustBeNew(ctx context.Context, at database, key *seal.Key) error {
	store, err := db.Open(ctx, string(at.path), key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = fmt.Errorf("database %s is in use; measure in an empty one that was created for that, since what is measured stays in it", at)
		err = errors.Join(err, store.Close())
	}
	return err
}

func (c benchCommand) measure(ctx context.Context, long time.Duration, at database, std streams) error {
	secret, err := at.key.read()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the binary to measure: %w", err)
	}
	options := bench.Options{
		Command: func(args ...string) *exec.Cmd { return exec.Command(self, args...) }, //nolint:gosec // ourselves
		Version: version, Time: long, Connections: int(c.Connections), Backlog: c.Backlog.seconds(), Progress: std.err,
		Dir: c.Dir, Full: c.Full, Deliveries: int(c.Deliveries), Accounts: int(c.Accounts),
		KeyFile: string(at.key), Key: secret,
	}
	run := bench.Run
	if db.OnServer(string(at.path)) {
		if err := mustBeNew(ctx, at, secret); err != nil {
			return err
		}
		run, options.NewDatabase = bench.RunReplicas, func(context.Context) (string, error) { return string(at.path), nil }
	}
	report, err := run(ctx, options)
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if err := errors.Join(err, c.print(report, std)); err != nil {
		return err
	}
	if report.Missed() {
		return errors.New("some of the figures miss their limits")
	}
	return nil
}

// print writes the table, and the JSON if it is wanted.
func (c benchCommand) print(report *bench.Report, std streams) error {
	switch c.JSON {
	case "":
		return report.WriteTable(std.out)
	case "-":
		return errors.Join(report.WriteTable(std.err), report.WriteJSON(std.out))
	}
	file, err := os.Create(c.JSON)
	if err != nil {
		return errors.Join(report.WriteTable(std.out), err)
	}
	return errors.Join(report.WriteTable(std.out), report.WriteJSON(file), file.Close())
}

type unstoredCommand struct{}

// Run runs Bookhook with a dispatcher that stores nothing; accounts, webhooks
// and tokens are those of the database.
func (unstoredCommand) Run(ctx context.Context, std streams, at database) error {
	allowed, err := guard.New("127.0.0.1")
	if err != nil {
		return err
	}
	listener, err := listen(ctx, "127.0.0.1:0", "--listen")
	if err != nil {
		return err
	}
	store, err := openStore(ctx, at)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	unstored, err := bench.NewUnstored(store)
	if err != nil {
		return errors.Join(err, listener.Close(), store.Close())
	}
	a, err := start(ctx, options{
		store: store, deliveries: unstored, listener: listener, guard: allowed, retention: 24 * time.Hour,
		file: string(at.path), log: newLogger(std.err, "text", slog.LevelWarn),
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "listening on %s\n", a.localURL())
	err = a.wait(ctx)
	return errors.Join(err, a.stop())
}
