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
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"bookhook/db"
	"bookhook/metrics"
	"bookhook/traces"
	"bookhook/webhook"
)

type serveCommand struct {
	Listen              listenAddress  `setting:"" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where to listen (${default}); \":8080\" is every address, port 0 any free one."`
	BaseURL             baseURL        `setting:"" name:"base-url" placeholder:"URL" help:"How people reach Bookhook when it is behind a proxy, such as https://hooks.example.com."`
	Support             supportContact `setting:"" default:"the person who runs this Bookhook" placeholder:"TEXT" help:"Whom people ask for more webhooks, shown where the limit is (${default})."`
	AllowPrivateTargets privateTargets `setting:"" placeholder:"CIDR,…" help:"Private addresses that webhooks may call, such as 10.0.0.0/8, or all. Default: none."`
	TrustedProxies      networks       `setting:"" placeholder:"CIDR,…" help:"Proxies whose X-Forwarded-For is trusted. Default: none."`
	PerAddress          number         `setting:"" name:"connections-per-address" default:"256" min:"1" max:"100000" placeholder:"N" help:"How many connections one client address may have open (${default}); trusted proxies may have any number."`
	Retention           number         `setting:"" default:"90" min:"1" max:"36500" placeholder:"DAYS" help:"How long events and deliveries are kept (${default} days)."`
	Mail                mailFlags      `embed:""`
	MetricsListen       listenAddress  `setting:"" placeholder:"HOST:PORT" help:"Where Prometheus finds GET /metrics; only in a network that you trust. Default: nowhere."`
	LogFormat           logFormat      `setting:"" default:"text" placeholder:"FORMAT" help:"text or json (${default})."`
	LogLevel            logLevel       `setting:"" default:"info" placeholder:"LEVEL" help:"debug, info, warn or error (${default})."`
}

// Validate checks flags that depend on one another.
func (c serveCommand) Validate() error { return c.Mail.validate() }

// newLogger returns a logger that writes to the writer.
func newLogger(to io.Writer, format logFormat, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(to, options))
	}
	return slog.New(slog.NewTextHandler(to, options))
}

// gcPercent lets garbage grow to three times the live heap, which is some 20 MB
// under full load. This saves a twentieth of the CPU time. GOGC overrides it.
const gcPercent = 300

// memoryLimit is the size of memory from which garbage is collected more often than
// gcPercent says. Full load stays far below; without the limit, a few concurrent
// bodies of megabytes and what is derived from them would reach gigabytes.
// GOMEMLIMIT overrides it.
const memoryLimit = 512 << 20

// moreThreads is how many goroutines run at once beyond the processors that there are:
// SQLite's writer keeps one busy for milliseconds at a time, and Go looks for what has
// arrived on the network only when one has nothing else to do. With a few requests in
// flight at once this saves a twentieth of their time. GOMAXPROCS overrides it. The number
// stays if the limit of a container changes later.
const moreThreads = 1

// Run runs Bookhook until ctx ends.
func (c serveCommand) Run(ctx context.Context, std streams, at database) error {
	tuneRuntime()
	sender, err := c.Mail.sender()
	if err != nil {
		return err
	}
	traced, err := traces.Wanted()
	if err != nil {
		return err
	}
	listeners, err := c.listen(ctx) // first: a second Bookhook must not touch the database
	if err != nil {
		return err
	}
	log := newLogger(std.err, c.LogFormat, slog.Level(c.LogLevel))
	slog.SetDefault(log) // for the database, which has none of its own
	if err := encryptAlone(ctx, at, log); err != nil {
		return errors.Join(err, listeners.Close())
	}
	unlock, err := lockServing(ctx, at)
	if err != nil {
		return errors.Join(err, listeners.Close())
	}
	defer unlock() //nolint:errcheck // the end of the process does it otherwise
	store, err := createStore(ctx, at, log)
	if err != nil {
		return errors.Join(err, listeners.Close())
	}
	token, err := setupToken(ctx, store, at)
	if err != nil {
		return errors.Join(err, listeners.Close(), store.Close())
	}
	a, err := start(ctx, options{
		store: store, listener: listeners.people, scrapes: listeners.scrapes, traced: traced, guard: &c.AllowPrivateTargets.Guard, retention: c.retention(), baseURL: string(c.BaseURL),
		support: webhook.Support(c.Support), proxies: c.TrustedProxies, perAddress: int(c.PerAddress), setupToken: token, sender: sender, file: string(at.path), log: log,
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "using the database %s\nlistening on %s\n", absolute(at.path), a.localURL())
	if listeners.scrapes != nil {
		fmt.Fprintf(std.out, "metrics at http://%s%s\n", listeners.scrapes.Addr(), metrics.Path)
	}
	if token != "" {
		fmt.Fprintf(std.out, "\nNobody can sign in yet. Set Bookhook up here (%s):\n\n  %s/setup?token=%s\n\n", otherLinks(at), a.url(), token)
	}
	err = a.wait(ctx)
	log.Info("stopping")
	return errors.Join(err, a.stop())
}

// listeners are where a Bookhook listens.
type listeners struct {
	people  net.Listener
	scrapes net.Listener // nil: there are no metrics
}

// Close closes both.
func (l listeners) Close() error {
	if l.scrapes == nil {
		return l.people.Close()
	}
	return errors.Join(l.people.Close(), l.scrapes.Close())
}

func (c serveCommand) listen(ctx context.Context) (l listeners, err error) {
	if l.people, err = listen(ctx, string(c.Listen), "--listen"); err != nil || c.MetricsListen == "" {
		return l, err
	}
	if l.scrapes, err = listen(ctx, string(c.MetricsListen), "--metrics-listen"); err != nil {
		err = errors.Join(err, l.people.Close())
	}
	return l, err
}

func (c serveCommand) retention() time.Duration { return 24 * time.Hour * time.Duration(c.Retention) }

// tuneRuntime sets what Go's runtime may use, unless the environment does.
func tuneRuntime() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + moreThreads)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}

// absolute returns the path from the root, or as it was given if the working
// directory is not known; and the URL of a server without its password.
func absolute(path databasePath) string {
	if db.OnServer(string(path)) {
		return db.Name(string(path))
	}
	if full, err := filepath.Abs(string(path)); err == nil {
		return full
	}
	return string(path)
}

// setupToken returns a token for the set-up page of a database without users, ""
// if there are users. Of PostgreSQL it is kept, so that the link of one replica opens the
// page of another.
func setupToken(ctx context.Context, store *db.Store, at database) (string, error) {
	done, err := store.HasUsers(ctx)
	if done || err != nil {
		return "", err
	}
	token := rand.Text()
	if !db.OnServer(string(at.path)) {
		return token, nil
	}
	kept, err := store.Setting(ctx, "setup-token", []byte(token))
	return string(kept), err
}

// otherLinks says what other starts print instead of this link for the set-up.
func otherLinks(at database) string {
	if db.OnServer(string(at.path)) {
		return "every replica prints this link"
	}
	return "the next start prints another link"
}

func listen(ctx context.Context, address, flag string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err == nil {
		return listener, nil
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err // without the address again
	}
	return nil, fmt.Errorf("cannot listen on %s: %w; choose another address with %s", address, err, flag)
}
