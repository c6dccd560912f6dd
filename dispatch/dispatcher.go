package dispatch

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"bookhook/dispatch/guard"
	"bookhook/dispatch/lookup"
	"bookhook/platforms"
	"bookhook/webhook"
)

// Options configure a dispatcher. Store, Lookups, Shards and Platforms are required.
type Options struct {
	Store       Store
	Lookups     LookupStore
	Shards      ShardStore
	Name        string // of this replica, for people
	Platforms   platforms.Registry
	Guard       *guard.Guard     // nil: public addresses only
	Log         *slog.Logger     // one line for each attempt; nil: none
	Version     string           // for the user-agent, bookhook/VERSION
	Instance    webhook.Instance // for the path of each event
	Own         guard.Own        // where this Bookhook is reached
	Schedule    []time.Duration  // pause before each attempt; nil: webhook.Schedule
	Timeout     time.Duration    // of one attempt in all; 0: webhook.AttemptTimeout
	Connect     time.Duration    // of name resolution and connection, and again of the TLS handshake; 0: 5 s
	Grace       time.Duration    // for requests in flight at shutdown; 0: 20 s
	MaxInFlight int              // requests over all webhooks; 0: 2048
	RootCAs     *x509.CertPool   // nil: those of the system

	MaxConnections int // open at once, also for questions to platforms; 0: 8192
}

// withDefaults replaces zero values.
func (o Options) withDefaults() Options {
	o.Timeout = cmp.Or(o.Timeout, webhook.AttemptTimeout)
	o.Connect = cmp.Or(o.Connect, 5*time.Second)
	o.Grace = cmp.Or(o.Grace, 20*time.Second)
	o.MaxConnections = cmp.Or(o.MaxConnections, 8192)
	o.MaxInFlight = cmp.Or(o.MaxInFlight, MaxInFlight(o.MaxConnections))
	if o.Guard == nil {
		o.Guard = &guard.Guard{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Schedule == nil {
		o.Schedule = webhook.Schedule
	}
	return o
}

// MaxInFlight is how many requests are in flight at most, over all webhooks, if so
// many connections may be open: lookups, tests and inline calls need some, and names
// are resolved with files, too.
func MaxInFlight(connections int) int { return min(2048, max(connections/4, 1)) }

// Times that no option changes.
const (
	finishTime     = 5 * time.Second // to record an attempt before its lease ends
	closingTime    = time.Second     // to record what was in flight when the grace period ended
	releaseTimeout = 5 * time.Second // to release jobs for a caller who may be gone
)

// Dispatcher sends deliveries. Its methods may be called from any goroutine;
// before [Dispatcher.Run] is ready, and after it returned, new deliveries stay in
// the table.
type Dispatcher struct {
	store       Store
	lookupStore LookupStore
	shards      ShardStore
	name        string
	version     string
	guard       *guard.Guard
	own         guard.Own
	log         *slog.Logger
	schedule    []time.Duration
	grace       time.Duration
	lease       time.Duration
	clock       func() time.Time
	sender      *sender
	lanes       *lanes
	lookups     *lookup.Queue
	inlineCalls *inlineCalls

	work      sync.WaitGroup     // attempts, claims, lookups and inline calls under way
	sending   context.Context    // of requests; ends with the grace period
	cutOff    context.CancelFunc // ends sending
	recording context.Context    // of recording their results; ends a little later
	abandon   context.CancelFunc // ends recording

	idle        chan laneJob // unbuffered: idle workers wait here; closed when no more jobs start
	idleWorkers atomic.Int32

	ready      chan struct{} // closed when the loop begins
	alive      atomic.Bool
	storeFails atomic.Bool // the store failed last time

	unknown chan struct{} // capacity 1; see reread
	renewal chan struct{} // capacity 1; see renewSoon
	written bool          // others may have written since what is due was read; used by keepLease only
}

// New returns a dispatcher, which does nothing before [Dispatcher.Run].
func New(o Options) *Dispatcher {
	o = o.withDefaults()
	d := &Dispatcher{
		store: o.Store, lookupStore: o.Lookups, shards: o.Shards, name: o.Name, version: o.Version, guard: o.Guard, own: o.Own, log: o.Log, schedule: o.Schedule, grace: o.Grace, clock: time.Now,
		idle: make(chan laneJob), ready: make(chan struct{}), unknown: make(chan struct{}, 1), renewal: make(chan struct{}, 1),
		// The longest wait is that of the last in a full lane, or of one request a minute.
		lease:       lookAhead*o.Timeout + o.Timeout + time.Minute + 2*finishTime,
		sender:      newSender(o),
		inlineCalls: newInlineCalls(o.MaxInFlight),
	}
	d.lanes = newLanes(o.MaxInFlight, d.clock, d.start)
	platformTransport := guard.NewTransport(guard.TransportOptions{
		Guard: o.Guard, Connect: o.Connect, MaxRead: lookup.MaxRead, RootCAs: o.RootCAs, Connections: d.sender.connections,
	})
	d.lookups = lookup.New(lookup.Options{
		Store: o.Lookups, Timeout: o.Timeout, Log: o.Log, Match: d.matchLookups, StoreFailed: d.storeFailed, Held: d.lanes.held,
		Client: &lookup.Client{
			Transport: platformTransport, Platforms: o.Platforms, UserAgent: d.sender.userAgent, Instance: o.Instance, Log: o.Log,
		},
	})
	return d
}

// Run dispatches until ctx ends, and returns when nothing is in flight and other replicas
// can take what this one held. It must be called only once. It first recovers the claims of
// a dead process; if that fails it returns the error, and nothing was sent.
func (d *Dispatcher) Run(ctx context.Context) error {
	shared, err := d.join(ctx)
	if err != nil {
		return err
	}
	base := context.WithoutCancel(ctx)
	d.sending, d.cutOff = context.WithCancel(base)
	d.recording, d.abandon = context.WithCancel(base)
	defer d.cutOff()
	defer d.abandon()
	d.lanes.accept()
	d.alive.Store(true)
	close(d.ready)
	d.work.Go(func() { d.lookups.Run(ctx, d.recording) })
	d.work.Go(func() { d.rereadUnknown(ctx) })
	idle, left := make(chan struct{}), make(chan struct{})
	if shared {
		d.work.Go(func() { d.shards.Listen(ctx) })
		go func() {
			d.keepLease(ctx, idle)
			close(left)
		}()
	} else {
		close(left)
	}
	d.loop(ctx)
	d.alive.Store(false)
	d.stop()
	close(idle)
	<-left
	return nil
}

// Ready is closed when [Dispatcher.Run] has read what is due and accepts jobs.
func (d *Dispatcher) Ready() <-chan struct{} { return d.ready }

// Alive reports whether the loop is running.
func (d *Dispatcher) Alive() bool { return d.alive.Load() }

// loop starts claims and jobs when they are due.
func (d *Dispatcher) loop(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-d.lanes.wake:
		}
		claims, next := d.lanes.turn()
		for _, c := range claims {
			d.work.Go(func() { d.claim(c) })
		}
		if next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(next.Sub(d.clock()))
		}
	}
}

func (d *Dispatcher) claim(c claim) {
	now := d.clock()
	jobs, next, err := d.store.Claim(d.recording, webhook.Claim{
		Webhook: c.lane.id, N: c.n, Urgent: c.urgent, Newest: c.newest, Bulk: c.bulk, Now: now, Lease: now.Add(d.lease),
	})
	if d.storeFailed("claim", err) {
		d.releaseUnknown(jobs) // nothing else is claimed meanwhile, maybe with the same numbers
		later := now.Add(storePause)
		jobs, next = nil, webhook.Due{At: later, Urgent: later}
	}
	d.releaseJobs(d.recording, d.lanes.claimDone(c, jobs, next))
	d.lanes.end(c.lane.account.id)
}

// stop waits for requests in flight until the grace period ends, and then cuts
// them off.
func (d *Dispatcher) stop() {
	queued := d.lanes.close()
	close(d.idle)
	d.work.Go(func() { d.releaseJobs(d.recording, queued) })
	done := make(chan struct{})
	go func() {
		d.work.Wait()
		close(done)
	}()
	if !doneWithin(done, d.grace) {
		d.cutOff()
		if !doneWithin(done, closingTime) {
			d.abandon()
			<-done
		}
	}
	d.sender.transport.CloseIdleConnections()
}

func doneWithin(done <-chan struct{}, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// storeFailed reports whether an operation of the store failed, and logs when
// failures begin and end.
func (d *Dispatcher) storeFailed(operation string, err error) bool {
	if err == nil {
		if d.storeFails.Load() && d.storeFails.CompareAndSwap(true, false) {
			d.log.Info("the database works again")
		}
		return false
	}
	if errors.Is(err, webhook.ErrNotHeld) {
		d.renewSoon() // which finds out what was lost
		return true
	}
	temporary := errors.Is(err, context.Canceled) || errors.Is(err, webhook.ErrBusy)
	if !temporary && d.storeFails.CompareAndSwap(false, true) {
		d.log.Error("the database fails, deliveries wait for it", "operation", operation, "error", err)
	}
	return true
}
