package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"bookhook/db"
	"bookhook/demo"
	"bookhook/dispatch/guard"
	"bookhook/webhook"
)

type demoCommand struct {
	Listen listenAddress `setting:"" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where to listen (${default}); a free port if this one is in use."`
}

// Run runs Bookhook with sample data until ctx ends, and removes all of it.
func (c demoCommand) Run(ctx context.Context, std streams) (err error) {
	listener, err := c.listenSomewhere(ctx, std)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bookhook-demo-")
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	receivers, err := demo.StartReceivers()
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, receivers.Close()) }()
	a, sample, err := startDemo(ctx, listener, filepath.Join(dir, "bookhook.db"), receivers, std)
	if err != nil {
		return err
	}
	welcome(std, a, sample)
	stopBookings := sendBookings(ctx, a, sample.Token)
	err = a.wait(ctx)
	stopBookings()
	return errors.Join(err, a.stop())
}

// sendBookings posts bookings to the app until ctx ends or the returned function
// is called, which waits for the last one.
func sendBookings(ctx context.Context, a *app, token string) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var sending sync.WaitGroup
	sending.Go(func() {
		if err := (demo.BookingSystem{URL: a.localURL(), Token: token}).Run(ctx); err != nil {
			a.log.Error("the demo cannot send bookings", "error", err)
		}
	})
	return func() {
		cancel()
		sending.Wait()
	}
}

// listenSomewhere listens on a free port if the wanted one is in use.
func (c demoCommand) listenSomewhere(ctx context.Context, std streams) (net.Listener, error) {
	listener, err := listen(ctx, string(c.Listen), "--listen")
	if !errors.Is(err, syscall.EADDRINUSE) {
		return listener, err
	}
	fmt.Fprintf(std.err, "%s is in use; the demo takes a free port instead.\n", c.Listen)
	host, _, err := net.SplitHostPort(string(c.Listen))
	if err != nil {
		return nil, err
	}
	return listen(ctx, net.JoinHostPort(host, "0"), "--listen")
}

func startDemo(ctx context.Context, listener net.Listener, path string, to *demo.Receivers, std streams) (*app, demo.Sample, error) {
	allowed, err := guard.New("127.0.0.0/8")
	if err != nil {
		return nil, demo.Sample{}, errors.Join(err, listener.Close())
	}
	store, err := db.Create(ctx, path, nil)
	if err != nil {
		return nil, demo.Sample{}, errors.Join(err, listener.Close())
	}
	sample, err := demo.Seed(ctx, store, to)
	if err != nil {
		return nil, sample, errors.Join(err, listener.Close(), store.Close())
	}
	a, err := start(ctx, options{
		store: store, listener: listener, guard: allowed, schedule: demo.Schedule, retention: 24 * time.Hour, support: webhook.DefaultSupport,
		file: path, log: newLogger(std.err, "text", slog.LevelError), // the pages show the rest better
	})
	return a, sample, err
}

// welcome prints how to sign in and what to try.
func welcome(std streams, a *app, sample demo.Sample) {
	fmt.Fprintf(std.out, `
  %s: a sample account, with bookings coming in.

    Open       %s
    E-mail     %s
    Password   %s

  Start with Deliveries. The webhooks lead to four receivers: one is healthy,
  one fails now and then, one is down; retries take seconds, not days. The fourth, Vouchers,
  was away in the beginning: its page sends what failed again, in two clicks.

  Send a booking yourself:

    curl -H 'Authorization: Bearer %s' \
         --json '{"type":"new_confirmed_web","channel_id":"3930","tour_ids":["101"],"booking_id":"1"}' \
         %s/api/v1/events

  Ctrl-C stops it and leaves nothing behind.

listening on %s
`, sample.Account.Name, a.localURL(), sample.Email, sample.Password, sample.Token, a.localURL(), a.localURL())
}
