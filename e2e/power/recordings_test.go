package power

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// recordings are the kinds of runs that are recorded.
var recordings = []struct {
	name   string
	record func(t testing.TB, seed uint64) (*shop, *tape)
}{
	{"stopped and started", recordStops},
	{"killed and started", recordKills},
	{"flushes fail", recordFailures},
	{"first start", recordFirst},
	{"killed before a flush", recordUnflushed},
	{"backed up beside the load", recordBackups},
}

// recordStops is the load with a restart in order: the last connection copies the WAL and removes it.
func recordStops(t testing.TB, seed uint64) (*shop, *tape) {
	s := newShop(t, seed)
	r := newRecording(t, binary, s.folder)
	for range 2 {
		r.start()
		s.load(r.URL, 100)
		r.stop()
	}
	tp := r.tape()
	if n := tp.checkpoints(); n < 4 { // one at each stop, and at least as many under load
		t.Errorf("got %d checkpoints, want more", n)
	}
	return s, tp
}

// checkpoints counts the flushes of the database file: each is the end of a checkpoint.
func (tp *tape) checkpoints() (n int) {
	for _, c := range tp.calls {
		if name, counts := tp.name(c.on); counts && name == "bookhook.db" && tp.flush(c) {
			n++
		}
	}
	return n
}

// slowFlushes makes each flush take 15 ms, as disks do: then a kill often finds what is written and not flushed.
var slowFlushes = []string{"-e", "inject=fsync,fdatasync:delay_enter=15000"}

// recordKills is the load with kills: what the process had written and not flushed is still in memory, and the next one
// reads it.
func recordKills(t testing.TB, seed uint64) (*shop, *tape) {
	s := newShop(t, seed)
	r := newRecording(t, binary, s.folder)
	r.mayLose = true
	for range 4 {
		r.start(slowFlushes...)
		s.again(r.URL)
		var load sync.WaitGroup
		load.Go(func() { s.load(r.URL, 400) })
		time.Sleep(time.Duration(200+s.pick(500)) * time.Millisecond) // when a kill comes, nobody can know
		r.kill9()
		load.Wait()
	}
	r.start()
	s.load(r.URL, 20)
	r.stop()
	return s, r.tape()
}

// recordUnflushed kills while an event is written and not flushed, again and again: the next process finds it in the
// WAL and says that it is there. Nothing is sent, so nothing else has to be flushed meanwhile; and somebody looks into
// the file after the kill, or SQLite itself would copy the WAL when the first connection of the next process is closed.
func recordUnflushed(t testing.TB, seed uint64) (*shop, *tape) {
	s := newShop(t, seed)
	s.quiet = true
	r := newRecording(t, binary, s.folder)
	r.mayLose = true
	for range 4 {
		r.start("-e", "inject=fsync,fdatasync:delay_enter=40000")
		var posts sync.WaitGroup
		posts.Go(func() {
			for status := http.StatusAccepted; status == http.StatusAccepted; {
				status, _ = s.call(r.URL, "POST", "/events", s.event())
			}
		})
		time.Sleep(time.Duration(300+s.pick(300)) * time.Millisecond)
		r.kill9()
		posts.Wait()
		closeReader := openReader(t, r.database())
		r.start()
		s.again(r.URL)
		closeReader()
		r.kill9()
	}
	s.quiet = false
	return s, r.tape()
}

// failures makes a flush fail now and then.
var failures = []string{"-e", "inject=fsync,fdatasync:error=EIO:when=9+7"}

// recordFailures is the load while flushes fail: what could not be flushed is refused with 503. It ends with the process.
// The next one would find in the system's memory, whole, what the system has given up writing: SQLite takes it for
// committed and copies it, and a power cut in these milliseconds can leave a damaged file (docs/speed-and-safety.md).
func recordFailures(t testing.TB, seed uint64) (*shop, *tape) {
	s := newShop(t, seed)
	var mu sync.Mutex
	refused := 0
	s.refusal = func(status int, body []byte) {
		mu.Lock()
		defer mu.Unlock()
		refused++
		if status != http.StatusServiceUnavailable || !strings.Contains(string(body), "Nothing of this request was stored") {
			t.Errorf("while flushes fail: got %d %s, want 503", status, body)
		}
	}
	r := newRecording(t, binary, s.folder)
	r.start(failures...)
	s.load(r.URL, 200)
	r.stop()
	tp := r.tape()
	tp.copiesNoMore(t)
	failed, answered := 0, 0
	for _, c := range tp.calls {
		if tp.flush(c) && c.failed {
			failed++
		}
	}
	for _, m := range tp.marks {
		if m.kind == taken {
			answered++
		}
	}
	t.Logf("%d flushes failed; %d requests were refused, %d events answered", failed, refused, answered)
	if failed == 0 || refused == 0 || answered == 0 {
		t.Errorf("this shows nothing: there must be some of each")
	}
	return s, tp
}

// copiesNoMore: once a flush of the database file has failed, what was copied into it may be gone, so it must all be
// copied again from the beginning of the WAL. SQLite would go on from where it was: the process leaves both as they are,
// at its end, too, and the next one begins anew.
func (tp *tape) copiesNoMore(t testing.TB) {
	var failed *call
	for _, c := range tp.calls {
		name, _ := tp.name(c.on)
		ofFile := name == "bookhook.db"
		switch {
		case failed == nil:
			if ofFile && tp.flush(c) && c.failed {
				failed = c
			}
		case ofFile && strings.HasPrefix(c.name, "pwrite"), tp.renames(c), c.name == "ftruncate":
			t.Errorf("%s (line %d) after a flush of the database file had failed (line %d)", c.name, c.begin, failed.begin)
		}
	}
	t.Logf("a flush of the database file failed: %t", failed != nil)
}

// recordFirst begins without a database: it is made, an account is added, webhooks are made, events come.
func recordFirst(t testing.TB, seed uint64) (*shop, *tape) {
	s := &shop{t: t, folder: t.TempDir(), rng: rand.New(rand.NewPCG(seed, 2))}
	s.refusal = s.refuse
	r := newRecording(t, binary, s.folder)
	r.start()
	r.stop()
	r.added[len(r.traces)] = "4069"
	r.run("account", "add", "Tallinn & Tartu Tours", "--number", "4069")
	s.token = r.run("token", "add", "--account", "4069", "Booking system")
	r.start()
	s.receivers(r.URL)
	s.load(r.URL, 40)
	r.kill9()
	return s, r.tape()
}

// receivers makes the receivers and their webhooks: one is well, one misbehaves, one is mostly away.
func (s *shop) receivers(url string) {
	s.t.Helper()
	for i, manner := range []func() int{s.well, s.wild, s.away} {
		sink := newSink(s.t, manner)
		status, body := s.call(url, "POST", "/webhooks", s.hook(fmt.Sprint("Receiver ", i), sink))
		if status != http.StatusCreated {
			s.t.Fatalf("make a webhook: %d %s", status, body)
		}
	}
}
