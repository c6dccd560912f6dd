package dispatch

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"bookhook/platforms"
	"bookhook/webhook"
)

// Options say how to dispatch. Only Store is required.
type Options struct {
	Store       Store
	Guard       *Guard             // nil: public addresses only
	Log         *slog.Logger       // one line for each attempt; nil: none
	Version     string             // for the user-agent, bookhook/VERSION
	Schedule    []time.Duration    // pause before each try; nil: webhook.Schedule
	Timeout     time.Duration      // of one attempt in all; 0: 15 s
	Connect     time.Duration      // of name lookup and connection, and again of the TLS handshake; 0: 5 s
	Grace       time.Duration      // for what is in flight at shutdown; 0: 20 s
	MaxInFlight int                // requests in flight over all webhooks; 0: 2048
	RootCAs     *x509.CertPool     // whom to trust; nil: whom the system trusts
	Platforms   platforms.Registry // nil: all that Bookhook speaks
}

// Bounds of time that follow no option.
const (
	finishTime   = 5 * time.Second // to record an attempt before its lease ends
	closingTime  = time.Second     // to record what was in flight at the end of the grace
	giveBackTime = 5 * time.Second // to give jobs back when their caller does not wait
)

// Dispatcher sends deliveries. Its methods may be called from any goroutine;
// until [Dispatcher.Run] has begun, and after it ended, everything that comes
// in is left in the table.
type Dispatcher struct {
	store     Store
	guard     *Guard
	log       *slog.Logger
	schedule  []time.Duration
	grace     time.Duration
	lease     time.Duration
	sender    *sender
	lanes     *lanes
	lookups   *lookups
	questions *questions

	work    sync.WaitGroup     // attempts, claims, lookups and questions under way
	sending context.Context    // of requests; ends when the grace is over
	cutOff  context.CancelFunc // ends sending
	storing context.Context    // of writing down what came of them; ends a little later
	abandon context.CancelFunc // ends storing

	ready   chan struct{} // closed when the loop begins
	alive   atomic.Bool
	trouble atomic.Bool // the store failed last time
}

// New makes a dispatcher; it does nothing before [Dispatcher.Run].
func New(o Options) *Dispatcher {
	o.Timeout = cmp.Or(o.Timeout, 15*time.Second)
	if o.Guard == nil {
		o.Guard = &Guard{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Platforms == nil {
		o.Platforms = platforms.All()
	}
	if o.Schedule == nil {
		o.Schedule = webhook.Schedule
	}
	d := &Dispatcher{
		store: o.Store, guard: o.Guard, log: o.Log, schedule: o.Schedule,
		grace: cmp.Or(o.Grace, 20*time.Second),
		ready: make(chan struct{}),
		// The worst wait is that of the last in a full lane, or of a request a minute.
		lease:   lookAhead*o.Timeout + o.Timeout + time.Minute + 2*finishTime,
		sender:  newSender(o),
		lookups: newLookups(),
	}
	d.lanes = newLanes(cmp.Or(o.MaxInFlight, 2048), d.start)
	d.questions = newQuestions(d.lanes.max)
	return d
}

// Run dispatches until ctx ends, and returns when nothing is in flight any
// more; once only. It first heals what a dead process left claimed; an error
// is of that, nothing was sent then.
func (d *Dispatcher) Run(ctx context.Context) error {
	due, err := d.recall(ctx)
	if err != nil {
		return err
	}
	base := context.WithoutCancel(ctx)
	d.sending, d.cutOff = context.WithCancel(base)
	d.storing, d.abandon = context.WithCancel(base)
	defer d.cutOff()
	defer d.abandon()
	d.lanes.admit(due)
	d.alive.Store(true)
	close(d.ready)
	d.work.Go(func() { d.lookUpAll(ctx) })
	d.loop(ctx)
	d.alive.Store(false)
	d.stop()
	return nil
}

// Ready is closed when [Dispatcher.Run] has read what is due and takes jobs.
func (d *Dispatcher) Ready() <-chan struct{} { return d.ready }

// Alive reports whether the loop is running.
func (d *Dispatcher) Alive() bool { return d.alive.Load() }

func (d *Dispatcher) recall(ctx context.Context) (map[webhook.ID]time.Time, error) {
	if err := d.store.Heal(ctx, time.Now()); err != nil {
		return nil, fmt.Errorf("heal claims: %w", err)
	}
	due, err := d.store.Due(ctx)
	if err != nil {
		return nil, fmt.Errorf("read what is due: %w", err)
	}
	return due, nil
}

// loop starts claims and jobs when their time comes.
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
		claims, next := d.lanes.turn(time.Now())
		for _, c := range claims {
			d.work.Go(func() { d.claim(c) })
		}
		if next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(next))
		}
	}
}

func (d *Dispatcher) claim(c claim) {
	now := time.Now()
	jobs, next, err := d.store.Claim(d.storing, c.lane.id, c.n, now, now.Add(d.lease))
	if d.failed("claim", err) {
		next = now.Add(storePause)
	}
	d.giveBack(d.storing, d.lanes.claimed(c, jobs, next, now))
}

// stop lets what is in flight end within the grace, and then cuts it off.
func (d *Dispatcher) stop() {
	queued := d.lanes.shut()
	d.work.Go(func() { d.giveBack(d.storing, queued) })
	ended := make(chan struct{})
	go func() {
		d.work.Wait()
		close(ended)
	}()
	if !within(d.grace, ended) {
		d.cutOff()
		if !within(closingTime, ended) {
			d.abandon()
			<-ended
		}
	}
	d.sender.transport.CloseIdleConnections()
}

func within(limit time.Duration, ended <-chan struct{}) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-ended:
		return true
	case <-timer.C:
		return false
	}
}

// failed tells whether the store failed, and logs when that begins and ends.
func (d *Dispatcher) failed(doing string, err error) bool {
	if err == nil {
		if d.trouble.Load() && d.trouble.CompareAndSwap(true, false) {
			d.log.Info("the database works again")
		}
		return false
	}
	if !errors.Is(err, context.Canceled) && d.trouble.CompareAndSwap(false, true) {
		d.log.Error("the database fails, deliveries wait for it", "doing", doing, "error", err)
	}
	return true
}
