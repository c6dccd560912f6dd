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
)

// runDemo is the app with sample data; nothing of it is left behind.
type runDemo struct{ listen string }

func (d runDemo) run(ctx context.Context, std streams) (err error) {
	listener, err := d.listenSomewhere(ctx, std)
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
	var shop sync.WaitGroup
	shopping, closeShop := context.WithCancel(ctx)
	shop.Go(func() {
		if err := (demo.Shop{URL: a.localURL(), Token: sample.Token}).Run(shopping); err != nil {
			a.log.Error("no bookings come in", "error", err)
		}
	})
	err = a.wait(ctx)
	closeShop()
	shop.Wait()
	return errors.Join(err, a.stop())
}

// listenSomewhere takes a free port when the wanted one is taken.
func (d runDemo) listenSomewhere(ctx context.Context, std streams) (net.Listener, error) {
	listener, err := listen(ctx, d.listen)
	if !errors.Is(err, syscall.EADDRINUSE) {
		return listener, err
	}
	fmt.Fprintf(std.err, "%s is in use; the demo takes a free port instead.\n", d.listen)
	host, _, err := net.SplitHostPort(d.listen)
	if err != nil {
		return nil, err
	}
	return listen(ctx, net.JoinHostPort(host, "0"))
}

func startDemo(ctx context.Context, listener net.Listener, path string, to *demo.Receivers, std streams) (*app, demo.Sample, error) {
	allowed, err := guard.New("127.0.0.0/8")
	if err != nil {
		return nil, demo.Sample{}, errors.Join(err, listener.Close())
	}
	store, err := db.Create(ctx, path)
	if err != nil {
		return nil, demo.Sample{}, errors.Join(err, listener.Close())
	}
	sample, err := demo.Seed(ctx, store, to)
	if err != nil {
		return nil, sample, errors.Join(err, listener.Close(), store.Close())
	}
	a, err := start(ctx, options{
		store: store, listener: listener, guard: allowed, schedule: demo.Schedule, keep: 24 * time.Hour,
		log: logging{level: slog.LevelError}.logger(std.err), // the pages tell the rest better
	})
	return a, sample, err
}

// welcome is the first thing that anybody sees of Bookhook.
func welcome(std streams, a *app, sample demo.Sample) {
	fmt.Fprintf(std.out, `
  %s: a sample account, with bookings coming in.

    Open       %s
    E-mail     %s
    Password   %s

  Look at Deliveries first. Of the three servers that are called, one is well,
  one fails now and then, and one is down; retries take seconds, not days.

  Send a booking yourself:

    curl -H 'Authorization: Bearer %s' \
         --json '{"type":"new_confirmed_web","channel_id":"3930","tour_ids":["101"],"booking_id":"1"}' \
         %s/api/v1/events

  Ctrl-C ends it and leaves nothing behind.

listening on %s
`, sample.Account.Name, a.localURL(), sample.Email, sample.Password, sample.Token, a.localURL(), a.localURL())
}
