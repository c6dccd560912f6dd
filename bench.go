package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"time"

	"bookhook/bench"
	"bookhook/db"
	"bookhook/dispatch/guard"
)

// runBench measures this very binary.
type runBench struct {
	time        time.Duration
	connections int
	backlog     time.Duration
	full        bool
	deliveries  int
	accounts    int
	dir         string
	json        string
}

func (b runBench) run(ctx context.Context, std streams) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the binary to measure: %w", err)
	}
	report, err := bench.Run(ctx, bench.Options{
		Command: func(args ...string) *exec.Cmd { return exec.Command(self, args...) }, //nolint:gosec // ourselves
		Version: version, Time: b.time, Connections: b.connections, Backlog: b.backlog, Progress: std.err,
		Dir: b.dir, Full: b.full, Deliveries: b.deliveries, Accounts: b.accounts,
	})
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if err := errors.Join(err, b.show(report, std)); err != nil {
		return err
	}
	if report.Missed() {
		return errors.New("some of the figures miss their limits")
	}
	return nil
}

// show writes the table, and the JSON where it is wanted.
func (b runBench) show(report *bench.Report, std streams) error {
	switch b.json {
	case "":
		return report.WriteTable(std.out)
	case "-":
		return errors.Join(report.WriteTable(std.err), report.WriteJSON(std.out))
	}
	file, err := os.Create(b.json)
	if err != nil {
		return errors.Join(report.WriteTable(std.out), err)
	}
	return errors.Join(report.WriteTable(std.out), report.WriteJSON(file), file.Close())
}

// runUnstored is the app with a dispatcher that stores nothing; accounts,
// webhooks and tokens are those of the database.
type runUnstored struct{ database string }

func (u runUnstored) run(ctx context.Context, std streams) error {
	allowed, err := guard.New("127.0.0.1")
	if err != nil {
		return err
	}
	listener, err := listen(ctx, "127.0.0.1:0")
	if err != nil {
		return err
	}
	store, err := db.Create(ctx, u.database)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	unstored, err := bench.NewUnstored(ctx, store)
	if err != nil {
		return errors.Join(err, listener.Close(), store.Close())
	}
	a, err := start(ctx, options{
		store: store, deliveries: unstored, listener: listener, guard: allowed, keep: 24 * time.Hour,
		log: logging{level: slog.LevelWarn}.logger(std.err),
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "listening on %s\n", a.localURL())
	err = a.wait(ctx)
	return errors.Join(err, a.stop())
}
