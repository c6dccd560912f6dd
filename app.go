package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"bookhook/accept"
	"bookhook/db"
	"bookhook/dispatch"
	"bookhook/dispatch/guard"
	"bookhook/handlers"
	"bookhook/handlers/api"
	"bookhook/handlers/pages"
	"bookhook/mail"
	"bookhook/notices"
	"bookhook/platforms/all"
	"bookhook/reconcile"
	"bookhook/replay"
	"bookhook/traces"
	"bookhook/webhook"
)

// Bounds of a shutdown; together less than the 10 seconds after which Docker
// kills.
const (
	requestGrace  = 2 * time.Second // for people's requests
	deliveryGrace = 6 * time.Second // for deliveries in flight
	traceGrace    = time.Second     // for the last traces
)

// options configure one running Bookhook.
type options struct {
	store      *db.Store      // closed by stop
	deliveries dispatch.Store // the store of the dispatcher; nil: store
	listener   net.Listener   // closed by stop
	guard      *guard.Guard
	schedule   []time.Duration // nil: webhook.Schedule
	retention  time.Duration   // how long events and deliveries are kept
	baseURL    string
	support    webhook.Support
	scrapes    net.Listener   // where the metrics are; closed by stop; nil: nowhere
	traced     bool           // traces are sent
	proxies    []netip.Prefix // whose X-Forwarded headers are trusted
	perAddress int            // connections of one client address; 0: as many as of all
	setupToken string
	sender     *mail.Sender // nil: no e-mail is sent
	file       string       // of the database, or the URL of a server
	log        *slog.Logger
}

// freeSpace returns how many bytes can still be written to the disk of the database.
func (o options) freeSpace() (uint64, error) {
	if db.OnServer(o.file) {
		return 0, errors.ErrUnsupported // it is another machine's
	}
	return freeSpace(filepath.Dir(o.file))
}

// app is one running Bookhook. Tests start it on port 0, as demo and serve do.
type app struct {
	options
	web            web
	outbound       int // connections to receivers and platforms
	dispatcher     *dispatch.Dispatcher
	stopDispatcher context.CancelFunc
	notices        *notices.Worker // runs only if e-mail is sent
	stopNotices    context.CancelFunc
	scraped        *http.Server   // nil: there are no metrics
	tracer         *traces.Tracer // nil: there are no traces
	stopRetention  context.CancelFunc
	served         chan error // gets the result of the web server
	dispatched     chan error // gets the result of the dispatcher
	background     sync.WaitGroup
}

// web is what the command line needs of Fiber, which only handlers imports.
type web interface {
	Listener(l net.Listener) error
	ShutdownWithContext(ctx context.Context) error
}

// start runs a Bookhook and returns when it is ready. It keeps running after ctx
// ends, until stop. If start fails, everything is stopped and closed.
func start(ctx context.Context, o options) (*app, error) {
	files := fileLimit()
	inbound, outbound := accept.Share(files)
	o.log.Info("limits by the files that may be open", "files", files, "connections", inbound, "to_receivers", outbound, "in_flight", dispatch.MaxInFlight(outbound))
	o.listener = accept.Wrap(o.listener, accept.Options{Max: inbound, PerAddress: o.perAddress, Proxies: o.proxies, Log: o.log})
	a := &app{options: o, outbound: outbound, served: make(chan error, 1), dispatched: make(chan error, 1)}
	if err := a.wire(ctx); err != nil {
		return nil, errors.Join(err, listeners{o.listener, o.scrapes}.Close(), o.store.Close())
	}
	ctx = context.WithoutCancel(ctx)
	var dispatching, retaining, sending context.Context
	dispatching, a.stopDispatcher = context.WithCancel(ctx)
	retaining, a.stopRetention = context.WithCancel(ctx)
	sending, a.stopNotices = context.WithCancel(ctx)
	go func() { a.dispatched <- a.dispatcher.Run(dispatching) }()
	go func() { a.served <- a.web.Listener(a.listener) }()
	a.chore(retaining, func(ctx context.Context) { runRetention(ctx, o.store, o.retention, o.log) })
	watcher := notices.Watcher{Store: o.store, Free: o.freeSpace, Least: leastFree, Mail: o.sender != nil, Words: a.notices, Log: o.log}
	a.chore(retaining, func(ctx context.Context) { runCleanUp(ctx, o.store, o.log) })
	a.chore(sending, watcher.Run)
	if o.sender != nil {
		a.chore(sending, a.notices.Run)
	}
	a.chore(retaining, func(ctx context.Context) { runCounts(ctx, o.store, o.log) })
	if a.scraped != nil {
		a.background.Go(func() { a.scraped.Serve(a.scrapes) }) //nolint:errcheck // stop closes it
	}
	if err := a.awaitDispatcher(); err != nil {
		return nil, errors.Join(err, a.stop())
	}
	return a, nil
}

func (a *app) wire(ctx context.Context) error {
	key, err := a.secret(ctx, "cookie-key")
	if err != nil {
		return err
	}
	stopKey, err := a.secret(ctx, "unsubscribe-key")
	if err != nil {
		return err
	}
	instance, err := a.secret(ctx, "instance")
	if err != nil {
		return err
	}
	own, err := guard.NewOwn(a.listener.Addr(), a.baseURL)
	if err != nil {
		return fmt.Errorf("find this machine's addresses: %w", err)
	}
	if a.schedule == nil {
		a.schedule = webhook.Schedule
	}
	if a.deliveries == nil {
		a.deliveries = a.store
	}
	if a.scrapes != nil {
		a.countMetrics()
	}
	if a.traced {
		if a.tracer, err = traces.New(ctx, version, instance, a.log); err != nil {
			return err
		}
		a.deliveries = traces.Deliveries{Store: a.deliveries, Tracer: a.tracer}
	}
	a.dispatcher = dispatch.New(dispatch.Options{
		Store: a.deliveries, Lookups: a.store, Shards: a.store, Name: replicaName(a.listener.Addr()), Guard: a.guard, Log: a.log, Version: version, Schedule: a.schedule, Grace: deliveryGrace,
		Platforms: all.Platforms(), Instance: webhook.NewInstance(instance), Own: own, MaxConnections: a.outbound,
	})
	a.store.Watch(a.dispatcher.Touched)
	a.web, err = handlers.New(handlers.Options{
		Mailer: a.mailer(stopKey), StopKey: stopKey,
		Store: handlersStore(a.store), Dispatcher: a.dispatcher, Planner: replay.New(a.store, all.Platforms()), Reconciler: reconcile.New(a.store),
		Platforms: all.Platforms(), BaseURL: a.baseURL, Support: a.support, Version: version,
		CookieKey: key, Log: a.log, MaxAttempts: len(a.schedule), SetupToken: a.setupToken, Proxies: a.proxies,
		Instance: webhook.NewInstance(instance),
	})
	return err
}

// replicaName returns what tells this process from others that serve the database, for
// people: its machine and where it listens.
func replicaName(address net.Addr) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	_, port, err := net.SplitHostPort(address.String())
	if err != nil {
		return host
	}
	return net.JoinHostPort(host, port)
}

// mailer sets up what writes notices, and returns it if it sends e-mail, too.
func (a *app) mailer(stopKey []byte) pages.Mailer {
	a.notices = notices.New(notices.Options{Store: notices.Store{OutboxStore: a.store, IncidentStore: a.store, FallbackStore: a.store}, Sender: a.sender, BaseURL: a.url(), StopKey: stopKey, Names: all.Platforms(), Log: a.log})
	if a.sender == nil {
		return nil
	}
	a.store.WatchOutbox(a.notices.Wake)
	return a.notices
}

// secret returns the random bytes of this name, which are made once for each
// database.
func (a *app) secret(ctx context.Context, name string) ([]byte, error) {
	fresh := make([]byte, 32)
	rand.Read(fresh) //nolint:errcheck // never fails, as documented
	kept, err := a.store.Setting(ctx, name, fresh)
	if err != nil {
		return nil, fmt.Errorf("read the setting %s: %w", name, err)
	}
	return kept, nil
}

// handlersStore is the database as each of the surfaces needs it.
func handlersStore(s *db.Store) handlers.Store {
	return handlers.Store{
		API:     api.Store{AccountStore: s, BookingStore: s, DeliveryStore: s, EventStore: s, ItemStore: s, ReplayStore: s, StatsStore: s, WebhookStore: s},
		Inbound: s,
		Pages: pages.Store{
			AccountStore: s, BookingStore: s, ChangeStore: s, ClientStore: s, DeliveryStore: s, DraftStore: s, EventStore: s, FallbackStore: s, HomeStore: s, InvitationStore: s, ItemStore: s, LinkStore: s, LoginStore: s,
			MailStore: s, NoticeStore: s, PlatformStore: s, ReconcileStore: s, ReplayStore: s, SettingsStore: s, StatsStore: s, TokenStore: s, UserStore: s, ViewStore: s, WebhookStore: s, WizardStore: s,
		},
		Prio: s, Sessions: s, Tokens: s, Health: s,
	}
}

// awaitDispatcher waits until the dispatcher has read what is due, so that
// everything works when the address is printed.
func (a *app) awaitDispatcher() error {
	select {
	case err := <-a.dispatched:
		a.dispatched <- nil // for stop
		return err
	case <-a.dispatcher.Ready():
		return nil
	}
}

// wait returns when ctx ends, or with an error if the web server or the dispatcher
// stopped by itself.
func (a *app) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-a.served:
		a.served <- nil // for stop
		return fmt.Errorf("the web server stopped: %w", err)
	case err := <-a.dispatched:
		a.dispatched <- nil
		return fmt.Errorf("the dispatcher stopped: %w", err)
	}
}

// stop stops everything in order: people's requests, then deliveries, then the
// database. It must be called once.
func (a *app) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), requestGrace)
	defer cancel()
	if err := a.web.ShutdownWithContext(ctx); err != nil {
		a.log.Warn("some requests were cut off", "error", err)
	}
	_ = a.listener.Close() // Fiber leaves it open if it has not started to serve
	<-a.served             //nolint:errcheck // the listener is closed
	a.log.Info("waiting for deliveries in flight")
	a.stopDispatcher()
	a.stopNotices()
	err := <-a.dispatched
	a.stopRetention()
	if a.scraped != nil {
		_ = a.scraped.Close() // a scrape may be cut off
	}
	a.background.Wait()
	if a.tracer != nil {
		a.closeTracer()
	}
	return errors.Join(err, a.store.Close())
}

// closeTracer sends the last traces, for a moment: they are not worth more.
func (a *app) closeTracer() {
	ctx, cancel := context.WithTimeout(context.Background(), traceGrace)
	defer cancel()
	if err := a.tracer.Close(ctx); err != nil {
		a.log.Warn("traces were lost", "error", err)
	}
}

// url returns where people reach this Bookhook.
func (a *app) url() string {
	if a.baseURL != "" {
		return a.baseURL
	}
	return a.localURL()
}

// localURL returns where this machine reaches it; localhost if it listens on
// every address.
func (a *app) localURL() string {
	address := a.listener.Addr().String()
	if at, err := netip.ParseAddrPort(address); err == nil && at.Addr().IsUnspecified() {
		address = fmt.Sprintf("localhost:%d", at.Port())
	}
	return "http://" + address
}
