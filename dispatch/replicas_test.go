package dispatch_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/db/dbtest"
	"bookhook/db/postgres/pgtest"
	"bookhook/dispatch"
	"bookhook/webhook"
)

// replicas are dispatchers on one database of PostgreSQL, which have one account.
type replicas struct {
	*testing.T
	url     string
	account webhook.Account
}

func newReplicas(t *testing.T) *replicas {
	t.Helper()
	rs := &replicas{T: t, url: pgtest.Database(t, "template1")}
	store, err := db.Create(t.Context(), rs.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	rs.account, err = store.AddAccount(t.Context(), webhook.Account{Number: 4069, Name: "Test Operator", TimeZone: "UTC", WebhookLimit: 1000}, byTest())
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

// start starts one more, which reaches the server at url.
func (rs *replicas) start(url string, o dispatch.Options) *rig {
	rs.Helper()
	r := &rig{TB: rs, path: url, log: &bytes.Buffer{}, stop: func() {}, wrap: func(s *testStore) dispatch.Store { return s }, account: rs.account}
	r.store = &testStore{finished: make(chan webhook.Result, 10_000), released: make(chan webhook.DeliveryID, 10_000), matched: make(chan int, 10_000)}
	var err error
	if r.store.Store, err = db.Open(rs.Context(), url, nil); err != nil {
		rs.Fatal(err)
	}
	rs.Cleanup(r.close)
	return r.run(o)
}

// await waits until each of them serves so many shards; who was first may have one more.
func (rs *replicas) await(want map[*rig]int) {
	rs.Helper()
	store, err := db.Open(rs.Context(), rs.url, nil)
	if err != nil {
		rs.Fatal(err)
	}
	defer store.Close()
	for deadline := time.Now().Add(30 * time.Second); ; {
		reached := true
		for r, n := range want {
			has := r.Held().Len()
			reached = reached && has >= n-1 && has <= n+1
			if !reached && time.Now().After(deadline) {
				rs.Fatalf("one serves %d shards after 30 seconds, want %d", r.Held().Len(), n)
			}
		}
		if reached {
			return
		}
		if _, err := store.Replicas(rs.Context()); err != nil { // it takes a moment
			rs.Fatal(err)
		}
	}
}

// two starts two of them, and returns first the one that serves the account.
func (rs *replicas) two(o dispatch.Options) (owner, other *rig) {
	rs.Helper()
	owner = rs.start(rs.url, o)
	other = rs.start(rs.url, o)
	rs.await(map[*rig]int{owner: 31, other: 30})
	if other.Held().HasAccount(rs.account.ID) {
		owner, other = other, owner
	}
	return owner, other
}

// TestAcceptedByAnother: what a replica accepts or changes for an account that another one
// serves, that one sends at once.
func TestAcceptedByAnother(t *testing.T) {
	rs := newReplicas(t)
	owner, other := rs.two(dispatch.Options{})
	var status sync.Map
	server := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
		code, _ := status.LoadOrStore("code", http.StatusOK)
		w.WriteHeader(code.(int))
	})
	hook := owner.hook(server.URL)
	began := time.Now()
	ids := other.ingest(3)
	for range ids {
		if r := owner.next(); r.State != webhook.Delivered {
			t.Errorf("got %+v, want it delivered", r)
		}
	}
	within(t, "the events of another one", began, 2*time.Second)
	if n := owner.store.byID.Load(); n != 3 {
		t.Errorf("%d were claimed by their ids, want all 3", n)
	}

	status.Store("code", http.StatusInternalServerError)
	failed := other.ingest(1)[0]
	if r := owner.next(); r.State != webhook.Pending {
		t.Errorf("got %+v, want it to wait for its next attempt", r)
	}
	status.Store("code", http.StatusOK)
	began = time.Now()
	if _, err := other.Replay(t.Context(), rs.account.ID, failed, byTest()); err != nil {
		t.Fatal(err)
	}
	if r := owner.next(); r.Delivery != failed || r.State != webhook.Delivered {
		t.Errorf("got %+v, want %v delivered", r, failed)
	}
	within(t, "retry now at another one", began, 2*time.Second)

	enable := func(on bool) {
		if _, err := other.store.SetEnabled(t.Context(), rs.account.ID, hook.ID, on, byTest()); err != nil {
			t.Fatal(err)
		}
	}
	status.Store("code", http.StatusInternalServerError)
	waits := other.ingest(1)[0]
	owner.next()
	status.Store("code", http.StatusOK)
	enable(false)
	began = time.Now()
	enable(true)
	if r := owner.next(); r.Delivery != waits || r.State != webhook.Delivered {
		t.Errorf("got %+v, want %v delivered", r, waits)
	}
	within(t, "switched on at another one", began, 2*time.Second)
	if n := len(other.store.finished); n > 0 {
		t.Errorf("the other one sent %d", n)
	}
}

// TestAnnouncedUnclaimed: what cannot be claimed by its id, be it that the store fails or
// that there is no place for it, is sent all the same, each once.
func TestAnnouncedUnclaimed(t *testing.T) {
	rs := newReplicas(t)
	owner, other := rs.two(dispatch.Options{})
	release := make(chan struct{})
	server := receiver(t, func(http.ResponseWriter, *http.Request) { <-release })
	owner.hook(server.URL, func(w *webhook.Webhook) { w.Concurrency = 1 })
	owner.store.failures.Store(1)
	ids := other.ingest(1)
	for range 20 {
		ids = append(ids, other.ingest(1)...)
	}
	close(release)
	sent := map[webhook.DeliveryID]int{}
	for range ids {
		sent[owner.next().Delivery]++
	}
	for _, id := range ids {
		if sent[id] != 1 {
			t.Errorf("%s was sent %d times, want once", id, sent[id])
		}
	}
}

// within checks that something took less than a read of the table now and then would.
func within(t *testing.T, what string, began time.Time, most time.Duration) {
	t.Helper()
	took := time.Since(began)
	t.Logf("%s: %s", what, took.Round(time.Millisecond))
	if took > most {
		t.Errorf("%s took %s, want at most %s", what, took, most)
	}
}

// TestLookupOfAnother: an event whose platform is to be asked first is looked up by the
// replica that serves the account, whichever accepted it.
func TestLookupOfAnother(t *testing.T) {
	rs := newReplicas(t)
	owner, other := rs.two(dispatch.Options{})
	owner.hook(receiver(t, answer(http.StatusOK)).URL)
	event := webhook.Event{Platform: "tourcms", Type: "cancelled", BookingID: "77", Inbound: true, Lookup: true, Wire: []byte("event=cancelled")}
	began := time.Now()
	for range 2 {
		if _, err := other.Ingest(t.Context(), rs.account.ID, []webhook.Event{event}); err != nil {
			t.Fatal(err)
		}
		if r := owner.next(); r.State != webhook.Delivered {
			t.Errorf("got %+v, want it delivered", r)
		}
	}
	within(t, "two lookups", began, 2*time.Second)
}

// TestHandOver: a replica that stops hands over at once, and one that joins gets its share;
// nothing is sent twice, and nothing is lost.
func TestHandOver(t *testing.T) {
	rs := newReplicas(t)
	var mu sync.Mutex
	sent := map[string]int{}
	server := receiver(t, func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		sent[r.Header.Get("webhook-id")]++
	})
	a := rs.start(rs.url, dispatch.Options{})
	if got := a.Held(); got != webhook.AllShards || !a.Leads() {
		t.Errorf("alone it serves %b, want everything", got)
	}
	a.hook(server.URL)
	b := rs.start(rs.url, dispatch.Options{})
	began := time.Now()
	rs.await(map[*rig]int{a: 31, b: 30})
	within(t, "joined", began, 2*time.Second)
	if !a.Leads() || b.Leads() {
		t.Error("the first one leads until it ends")
	}
	c := rs.start(rs.url, dispatch.Options{})
	rs.await(map[*rig]int{a: 21, b: 21, c: 19})
	ids := slices.Concat(a.ingest(20), b.ingest(20), c.ingest(20))
	began = time.Now()
	a.stop()
	rs.await(map[*rig]int{b: 31, c: 30})
	within(t, "left", began, 2*time.Second)
	ids = append(ids, b.ingest(20)...)
	b.stop()
	rs.await(map[*rig]int{c: webhook.Shards})
	ids = append(ids, c.ingest(20)...)
	for range ids {
		select {
		case <-a.store.finished:
		case <-b.store.finished:
		case <-c.store.finished:
		case <-time.After(30 * time.Second):
			t.Fatal("not everything was sent")
		}
	}
	for _, id := range ids {
		if d := c.delivery(id); d.State != webhook.Delivered || d.Attempts != 1 || sent[id.String()] != 1 {
			t.Errorf("got %+v, sent %d times, want it delivered by its first attempt", d, sent[id.String()])
		}
	}
}

// TestHandOverInFlight: what is in flight ends before others get the account, and what is
// queued is sent by them.
func TestHandOverInFlight(t *testing.T) {
	rs := newReplicas(t)
	g := newGate(t)
	a := rs.start(rs.url, dispatch.Options{})
	a.hook(g.URL, concurrency(1))
	ids := a.ingest(3)
	receive(t, g.arrived)
	b := rs.start(rs.url, dispatch.Options{})
	go a.stop()
	rs.await(map[*rig]int{b: webhook.Shards - 1})
	if b.Held().HasAccount(rs.account.ID) {
		t.Fatal("the account was handed over with a request in flight")
	}
	g.open()
	if r := a.next(); r.Delivery != ids[0] || r.State != webhook.Delivered {
		t.Errorf("got %+v, want the first one delivered", r)
	}
	for range ids[1:] {
		if r := b.next(); r.State != webhook.Delivered || r.Attempt.Number != 1 {
			t.Errorf("got %+v, want it delivered by its first attempt", r)
		}
	}
}

// TestTakenOver: a replica that is not heard of loses its accounts; what it had in flight is
// sent again, its own result is dropped, and nothing of its queue is sent.
func TestTakenOver(t *testing.T) {
	rs := newReplicas(t)
	g := newGate(t)
	p := pgtest.NewProxy(t, rs.url)
	a := rs.start(p.URL, dispatch.Options{})
	a.hook(g.URL, concurrency(1))
	ids := a.ingest(3)
	receive(t, g.arrived)
	p.Down.Store(true)
	pgtest.Exec(t, rs.url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	dbtest.Lose(t, rs.url)
	b := rs.start(rs.url, dispatch.Options{})
	rs.await(map[*rig]int{b: webhook.Shards})
	receive(t, g.arrived) // the first one once more
	p.Down.Store(false)
	rs.await(map[*rig]int{b: 31, a: 30}) // so the first knows what it lost
	g.open()
	for range ids {
		if r := b.next(); r.State != webhook.Delivered {
			t.Errorf("got %+v, want it delivered", r)
		}
	}
	a.stop()
	if d := b.delivery(ids[0]); d.State != webhook.Delivered || d.Attempts != 2 {
		t.Errorf("got %+v, want it delivered by its second attempt", d)
	}
	if log := a.log.String(); strings.Count(log, "result dropped") != 1 {
		t.Errorf("the result is not among what was dropped:\n%s", log)
	}
}

// TestOrderAcrossReplicas: the events of a booking arrive in their order, whichever replica
// accepts them, while the account moves from one to the next.
func TestOrderAcrossReplicas(t *testing.T) {
	const rounds, each = 4, 15
	rs := newReplicas(t)
	bodies := make(chan string, 10_000)
	server := receiver(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies <- string(body)
	})
	owner, other := rs.two(dispatch.Options{})
	owner.hook(server.URL, func(w *webhook.Webhook) { w.Ordered = true })
	n := 0
	for round := range rounds {
		for i := range each {
			e := events(1)[0]
			e.Data = fmt.Appendf(nil, `{"n":%d}`, n)
			n++
			if _, err := []*rig{owner, other}[i%2].Ingest(t.Context(), rs.account.ID, []webhook.Event{e}); err != nil {
				t.Fatal(err)
			}
		}
		if round < rounds-1 {
			owner.stop() // while its queue is full
			owner, other = other, rs.start(rs.url, dispatch.Options{})
		}
	}
	for i := range n {
		if body, want := receive(t, bodies), fmt.Sprintf(`"data":{"n":%d}`, i); !strings.Contains(body, want) {
			t.Fatalf("got %s, want one with %s", body, want)
		}
	}
}

// TestInlineAtAnother: who asks again at another replica, while the call is still running,
// gets its answer.
func TestInlineAtAnother(t *testing.T) {
	rs := newReplicas(t)
	a, b := rs.two(dispatch.Options{})
	g := newGate(t)
	a.hook(g.URL, inline)
	answers := make(chan webhook.InlineCall, 2)
	go func() { answers <- a.callInline(temporary("q-1")) }()
	receive(t, g.arrived)
	read := make(chan bool, 1000)
	b.store.read = func() { read <- true }
	go func() { answers <- b.callInline(temporary("q-1")) }()
	receive(t, read) // the answer is not there yet
	g.open()
	first, second := receive(t, answers), receive(t, answers)
	if !first.Accepted || !second.Accepted || first.Job.Delivery.ID != second.Job.Delivery.ID || len(g.arrived) != 0 {
		t.Errorf("got %+v and %+v, want one answer", first, second)
	}
}

// TestWithoutAnnouncements: where announcements do not arrive, as through PgBouncer, what
// another replica accepts is found in the table.
func TestWithoutAnnouncements(t *testing.T) {
	rs := newReplicas(t)
	p := pgtest.NewProxy(t, rs.url)
	p.Deaf.Store(true)
	a, b := rs.start(p.URL, dispatch.Options{}), rs.start(p.URL, dispatch.Options{})
	rs.await(map[*rig]int{a: 31, b: 30})
	a.hook(receiver(t, answer(http.StatusOK)).URL)
	owner, other := a, b
	if b.Held().HasAccount(rs.account.ID) {
		owner, other = b, a
	}
	other.ingest(1)
	if r := owner.next(); r.State != webhook.Delivered {
		t.Errorf("got %+v, want it delivered", r)
	}
}
