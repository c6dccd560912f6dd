package dispatch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/db/dbtest"
	"bookhook/dispatch"
	"bookhook/dispatch/guard"
	"bookhook/platforms/all"
	"bookhook/webhook"
)

// The real database satisfies what the dispatcher needs.
var (
	_ dispatch.Store       = (*db.Store)(nil)
	_ dispatch.LookupStore = (*db.Store)(nil)
)

// testStore is the real database; tests hear through it what was recorded, and can
// make it fail.
type testStore struct {
	*db.Store
	finished chan webhook.Result
	released chan webhook.DeliveryID
	matched  chan int                 // after a lookup
	claimed  func(jobs []webhook.Job) // unless nil, called before the dispatcher hears of a claim
	read     func()                   // unless nil, called after the attempts of a delivery were read
	failures atomic.Int32             // how many of the next Finish, Release, ClaimNew and CompleteLookups fail
	byID     atomic.Int32             // how many ClaimNew claimed
}

func (s *testStore) ClaimNew(ctx context.Context, announced []webhook.Touched, lease time.Time) ([]webhook.Job, error) {
	if s.failures.Add(-1) >= 0 {
		return nil, errors.New("disk full")
	}
	jobs, err := s.Store.ClaimNew(ctx, announced, lease)
	s.byID.Add(int32(len(jobs))) //nolint:gosec // a few
	return jobs, err
}

func (s *testStore) Finish(ctx context.Context, r webhook.Result, now time.Time) (webhook.Finished, error) {
	if s.failures.Add(-1) >= 0 {
		return webhook.Finished{}, errors.New("disk full")
	}
	done, err := s.Store.Finish(ctx, r, now)
	s.finished <- r
	return done, err
}

func (s *testStore) Claim(ctx context.Context, c webhook.Claim) ([]webhook.Job, webhook.Due, error) {
	jobs, next, err := s.Store.Claim(ctx, c)
	if s.claimed != nil {
		s.claimed(jobs)
	}
	return jobs, next, err
}

func (s *testStore) Attempts(ctx context.Context, account webhook.AccountID, delivery webhook.DeliveryID, after int) ([]webhook.Attempt, error) {
	all, err := s.Store.Attempts(ctx, account, delivery, after)
	if s.read != nil {
		s.read()
	}
	return all, err
}

func (s *testStore) CompleteLookups(ctx context.Context, p *webhook.Plan) ([]webhook.Accepted, error) {
	if s.failures.Add(-1) >= 0 {
		return nil, errors.New("disk full")
	}
	accepted, err := s.Store.CompleteLookups(ctx, p)
	s.matched <- len(accepted)
	return accepted, err
}

func (s *testStore) Release(ctx context.Context, delivery webhook.DeliveryID, number int, lease, now time.Time) error {
	if s.failures.Add(-1) >= 0 {
		return errors.New("disk full")
	}
	err := s.Store.Release(ctx, delivery, number, lease, now)
	s.released <- delivery
	return err
}

// rig is a dispatcher on a database of its own, with one account.
type rig struct {
	testing.TB
	*dispatch.Dispatcher
	store   *testStore
	account webhook.Account
	path    string        // of the database
	log     *bytes.Buffer // read it after stop
	stop    func()        // and wait for the end; may be called twice
	wrap    func(*testStore) dispatch.Store
}

// newRig opens a database; tests that want something in the table before the
// dispatcher runs fill it then.
func newRig(t testing.TB) *rig {
	t.Helper()
	return newRigAt(t, dbtest.At(t))
}

// newRigAt is newRig on a database that is there, without an account.
func newRigAt(t testing.TB, path string) *rig {
	t.Helper()
	r := &rig{TB: t, path: path, log: &bytes.Buffer{}, stop: func() {}, wrap: func(s *testStore) dispatch.Store { return s }}
	r.store = &testStore{finished: make(chan webhook.Result, 10_000), released: make(chan webhook.DeliveryID, 10_000), matched: make(chan int, 10_000)}
	r.open()
	var err error
	r.account, err = r.store.AddAccount(t.Context(), webhook.Account{Number: 4069, Name: "Test Operator", TimeZone: "UTC", WebhookLimit: 1000}, byTest())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	return r
}

func (r *rig) open() {
	r.Helper()
	r.store.Store = dbtest.Create(r, r.path)
}

// close ends the dispatcher and closes the database.
func (r *rig) close() {
	r.stop()
	if err := r.store.Close(); err != nil {
		r.Error(err)
	}
}

// run starts the dispatcher, which may call loopback addresses unless the
// options have a guard.
func (r *rig) run(o dispatch.Options) *rig {
	r.Helper()
	o.Store, o.Lookups, o.Shards, o.Version = r.wrap(r.store), r.store, r.store, "1.2.3"
	if o.Platforms == nil {
		o.Platforms = all.Platforms()
	}
	o.Log = slog.New(slog.NewTextHandler(&locked{w: r.log}, nil))
	if o.Guard == nil {
		o.Guard = mustGuard(r, "127.0.0.0/8")
	}
	r.Dispatcher = dispatch.New(o)
	r.store.Watch(r.Touched)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	select {
	case <-r.Ready():
	case err := <-ended:
		r.Fatalf("Run: %v", err)
	}
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			r.Errorf("Run: %v", err)
		}
	})
	return r
}

func start(t testing.TB, o dispatch.Options) *rig {
	t.Helper()
	return newRig(t).run(o)
}

// locked makes a buffer safe for several goroutines.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func mustGuard(t testing.TB, allow string) *guard.Guard {
	t.Helper()
	g, err := guard.New(allow)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// byTest is a change that the test makes.
func byTest() webhook.Change { return webhook.Change{By: "test", At: time.Now()} }

// save changes a webhook as a person does.
func (r *rig) save(w *webhook.Webhook) {
	r.Helper()
	if _, err := r.store.UpdateWebhook(r.Context(), webhook.Update{Webhook: w}, byTest()); err != nil {
		r.Fatal(err)
	}
}

// touch tells the dispatcher of a change that was none.
func (r *rig) touch(w *webhook.Webhook) {
	r.Touched([]webhook.Touched{{Account: w.Account, Webhook: w.ID, What: webhook.TouchWebhook}})
}

// hook makes a webhook for all events in the standard format.
func (r *rig) hook(url string, change ...func(*webhook.Webhook)) *webhook.Webhook {
	r.Helper()
	w := &webhook.Webhook{
		Account: r.account.ID, Enabled: true, Secret: webhook.NewSecret(), Config: webhook.Config{
			Name: "hook", URL: url, Kind: webhook.Async, Format: webhook.Standard, AllEvents: true,
			Channels: webhook.NewFilter(webhook.All, nil), Tours: webhook.NewFilter(webhook.All, nil), Concurrency: webhook.DefaultConcurrency,
		},
	}
	for _, c := range change {
		c(w)
	}
	w, err := r.store.CreateWebhook(r.Context(), w, nil, byTest())
	if err != nil {
		r.Fatal(err)
	}
	return w
}

func concurrency(n int) func(*webhook.Webhook) {
	return func(w *webhook.Webhook) { w.Concurrency = n }
}

func native(w *webhook.Webhook) { w.Format = webhook.Native }

func events(n int) []webhook.Event {
	list := make([]webhook.Event, n)
	for i := range list {
		list[i] = webhook.Event{
			Platform: "tourcms", Type: "cancelled", ChannelID: "3930", BookingID: fmt.Sprint(1000 + i), Data: []byte(`{"n":1}`),
		}
	}
	return list
}

// ingest sends n events in and returns the ids of their deliveries.
func (r *rig) ingest(n int) []webhook.DeliveryID {
	r.Helper()
	accepted, err := r.Ingest(r.Context(), r.account.ID, events(n))
	if err != nil {
		r.Fatal(err)
	}
	var ids []webhook.DeliveryID
	for _, a := range accepted {
		for _, d := range a.Decisions {
			if d.Delivery != 0 {
				ids = append(ids, d.Delivery)
			}
		}
	}
	return ids
}

// next waits for the next recorded result.
func (r *rig) next() webhook.Result {
	r.Helper()
	return receive(r, r.store.finished)
}

func receive[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(30 * time.Second):
		t.Fatal("nothing happened for 30 seconds")
	}
	panic("not reached")
}

func (r *rig) delivery(id webhook.DeliveryID) webhook.Delivery {
	r.Helper()
	d, err := r.store.Delivery(context.Background(), r.account.ID, id)
	if err != nil {
		r.Fatal(err)
	}
	return d
}

// circuit returns the circuit of a webhook as it is stored.
func (r *rig) circuit(w *webhook.Webhook) webhook.Circuit {
	r.Helper()
	stored, err := r.store.Webhook(context.Background(), w.Account, w.ID)
	if err != nil {
		r.Fatal(err)
	}
	return stored.Circuit
}

func (r *rig) attempts(id webhook.DeliveryID) []webhook.Attempt {
	r.Helper()
	list, err := r.store.Attempts(context.Background(), r.account.ID, id, 0)
	if err != nil {
		r.Fatal(err)
	}
	return list
}

// receiver is a server that the handler makes up.
func receiver(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func answer(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

// gate is a receiver that keeps its requests until it is opened.
type gate struct {
	*httptest.Server
	arrived  chan string // the path of each request
	open     func()
	inFlight atomic.Int32
	most     atomic.Int32
}

func newGate(t testing.TB) *gate {
	t.Helper()
	g := &gate{arrived: make(chan string, 10_000)}
	opened := make(chan struct{})
	g.open = sync.OnceFunc(func() { close(opened) })
	g.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		n := g.inFlight.Add(1)
		for most := g.most.Load(); n > most && !g.most.CompareAndSwap(most, n); most = g.most.Load() {
		}
		g.arrived <- r.URL.Path
		select {
		case <-opened:
		case <-r.Context().Done():
		}
		g.inFlight.Add(-1)
	}))
	t.Cleanup(func() {
		g.open()
		g.Close()
	})
	return g
}
