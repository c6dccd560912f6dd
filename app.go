package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"bookhook/db"
	"bookhook/dispatch"
	"bookhook/dispatch/guard"
	"bookhook/handlers"
	"bookhook/webhook"
)

// Bounds of a shutdown; together less than the 10 seconds after which Docker
// kills.
const (
	requestGrace  = 2 * time.Second // for people's requests
	deliveryGrace = 6 * time.Second // for deliveries on their way
)

// options are what one running Bookhook is made of.
type options struct {
	store      *db.Store      // closed by stop
	deliveries dispatch.Store // where the dispatcher keeps its own; nil: store
	listener   net.Listener   // closed by stop
	guard      *guard.Guard
	schedule   []time.Duration // nil: webhook.Schedule
	keep       time.Duration   // how long events and deliveries are kept
	baseURL    string
	proxies    []string
	setupToken string
	log        *slog.Logger
}

// app is one running Bookhook. Tests start it on port 0, as demo and serve do.
type app struct {
	options
	web        web
	dispatcher *dispatch.Dispatcher
	endWork    context.CancelFunc // ends the dispatcher
	endKeeping context.CancelFunc // ends the forgetting of what is old
	served     chan error         // the web server has ended
	dispatched chan error         // the dispatcher has ended
	keeping    sync.WaitGroup
}

// web is what is needed of Fiber, which only handlers knows.
type web interface {
	Listener(l net.Listener) error
	ShutdownWithContext(ctx context.Context) error
}

// start runs a Bookhook and returns when it is ready. It goes on after ctx
// ends: stop stops it, and start itself when it fails.
func start(ctx context.Context, o options) (*app, error) {
	a := &app{options: o, served: make(chan error, 1), dispatched: make(chan error, 1)}
	if err := a.wire(ctx); err != nil {
		return nil, errors.Join(err, o.listener.Close(), o.store.Close())
	}
	ctx = context.WithoutCancel(ctx)
	var working, keeping context.Context
	working, a.endWork = context.WithCancel(ctx)
	keeping, a.endKeeping = context.WithCancel(ctx)
	go func() { a.dispatched <- a.dispatcher.Run(working) }()
	go func() { a.served <- a.web.Listener(a.listener) }()
	a.keeping.Go(func() { forget(keeping, o.store, o.keep, o.log) })
	if err := a.awaitDispatcher(); err != nil {
		return nil, errors.Join(err, a.stop())
	}
	return a, nil
}

func (a *app) wire(ctx context.Context) error {
	key := make([]byte, 32)
	rand.Read(key) //nolint:errcheck // never fails, as documented
	key, err := a.store.Setting(ctx, "cookie-key", key)
	if err != nil {
		return fmt.Errorf("read the cookie key: %w", err)
	}
	if a.schedule == nil {
		a.schedule = webhook.Schedule
	}
	if a.deliveries == nil {
		a.deliveries = a.store
	}
	a.dispatcher = dispatch.New(dispatch.Options{
		Store: a.deliveries, Guard: a.guard, Log: a.log, Version: version, Schedule: a.schedule, Grace: deliveryGrace,
	})
	a.web, err = handlers.New(handlers.Options{
		Store: a.store, Dispatcher: a.dispatcher, BaseURL: a.baseURL, Version: version, CookieKey: key, Log: a.log,
		Tries: len(a.schedule), SetupToken: a.setupToken, Proxies: a.proxies,
	})
	return err
}

// awaitDispatcher waits until the dispatcher has read what is due, so that
// whoever is told of the address finds everything at work.
func (a *app) awaitDispatcher() error {
	select {
	case err := <-a.dispatched:
		a.dispatched <- nil // for stop
		return err
	case <-a.dispatcher.Ready():
		return nil
	}
}

// wait returns when ctx ends, or with the reason when a part ended by itself.
func (a *app) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-a.served:
		a.served <- nil // for stop
		return fmt.Errorf("the web server ended: %w", err)
	case err := <-a.dispatched:
		a.dispatched <- nil
		return fmt.Errorf("the dispatcher ended: %w", err)
	}
}

// stop ends everything in order: people's requests, then deliveries, then the
// database. It is called once.
func (a *app) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), requestGrace)
	defer cancel()
	if err := a.web.ShutdownWithContext(ctx); err != nil {
		a.log.Warn("some requests were cut off", "error", err)
	}
	_ = a.listener.Close() // Fiber leaves it open when it has not begun to serve
	<-a.served             //nolint:errcheck // it says that the listener is closed
	a.log.Info("waiting for deliveries on their way")
	a.endWork()
	err := <-a.dispatched
	a.endKeeping()
	a.keeping.Wait()
	return errors.Join(err, a.store.Close())
}

// url is where people find this Bookhook.
func (a *app) url() string {
	if a.baseURL != "" {
		return a.baseURL
	}
	return a.localURL()
}

// localURL is where this machine finds it; when it listens on every address,
// that is localhost.
func (a *app) localURL() string {
	address := a.listener.Addr().String()
	if at, err := netip.ParseAddrPort(address); err == nil && at.Addr().IsUnspecified() {
		address = fmt.Sprintf("localhost:%d", at.Port())
	}
	return "http://" + address
}
