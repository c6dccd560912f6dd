package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"time"

	"bookhook/db"
	"bookhook/dispatch/guard"
)

// serve is the app.
type serve struct {
	database string
	listen   string
	baseURL  string
	guard    *guard.Guard
	proxies  []string
	keep     time.Duration
	log      logging
}

// logging says how to write the log.
type logging struct {
	format string
	level  slog.Level
}

func (l logging) logger(to io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: l.level}
	if l.format == "json" {
		return slog.New(slog.NewJSONHandler(to, options))
	}
	return slog.New(slog.NewTextHandler(to, options))
}

// gcPercent lets garbage grow to three times what is in use, some 20 MB under
// full load: that saves a twentieth of the processor. GOGC overrides it.
const gcPercent = 300

// memoryLimit is from where on garbage is collected at once instead. Full load
// stays far below; a few bodies of megabytes at a time, with all that is made of
// them, would reach gigabytes. GOMEMLIMIT overrides it.
const memoryLimit = 512 << 20

func (s serve) run(ctx context.Context, std streams) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	log := s.log.logger(std.err)
	listener, err := listen(ctx, s.listen) // first: a second Bookhook must not touch the database
	if err != nil {
		return err
	}
	unlock, err := db.Lock(s.database)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer unlock() //nolint:errcheck // the end of the process does it otherwise
	store, err := db.Create(ctx, s.database)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	token, err := setupToken(ctx, store)
	if err != nil {
		return errors.Join(err, listener.Close(), store.Close())
	}
	a, err := start(ctx, options{
		store: store, listener: listener, guard: s.guard, keep: s.keep, baseURL: s.baseURL, proxies: s.proxies,
		setupToken: token, log: log,
	})
	if err != nil {
		return err
	}
	if token != "" {
		fmt.Fprintf(std.out, "Nobody can sign in yet. Set Bookhook up here (the next start prints another link):\n%s/setup?token=%s\n", a.url(), token)
	}
	fmt.Fprintf(std.out, "listening on %s\n", a.localURL())
	err = a.wait(ctx)
	log.Info("stopping")
	return errors.Join(err, a.stop())
}

// setupToken opens the set-up of a database without users; "" when there are.
func setupToken(ctx context.Context, store *db.Store) (string, error) {
	over, err := store.HasUsers(ctx)
	if over || err != nil {
		return "", err
	}
	return rand.Text(), nil
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err == nil {
		return listener, nil
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err // without the address again
	}
	return nil, fmt.Errorf("cannot listen on %s: %w; choose another address with --listen", address, err)
}
