package e2e

import (
	"cmp"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// crash is Bookhook under load, with a receiver that is well, one that misbehaves and one that is away for a while.
type crash struct {
	op               *shop
	load             *load
	well, wild, away *sink
}

func newCrash(t testing.TB, folder string) *crash {
	t.Helper()
	op := newShopIn(t, folder)
	return &crash{
		op: op, load: newLoad(op),
		well: newSink(t, op, "Accounting", well), wild: newSink(t, op, "Portal", wild), away: newSink(t, op, "Partner", away),
	}
}

func (c *crash) sinks() []*sink { return []*sink{c.well, c.wild, c.away} }

// crashKills is set by "make crash".
const crashKills = "BOOKHOOK_CRASH_KILLS"

// crashes is how often to kill in this run, by default a few times.
func crashes(t testing.TB) int {
	t.Helper()
	n, err := strconv.Atoi(cmp.Or(os.Getenv(crashKills), "12"))
	must(t, err)
	return n
}

// sometime is a random moment of the next milliseconds: when a crash comes, nobody can know.
func sometime(from, to int) {
	time.Sleep(time.Duration(from+rand.IntN(to-from)) * time.Millisecond)
}

// under has the load on for some time, in which Partner may be away, and then ends Bookhook in the middle of it.
func (c *crash) under(end func()) {
	c.op.t.Helper()
	c.away.behaves([]func() manner{well, well, away}[rand.IntN(3)])
	c.load.while(func() {
		sometime(50, 600)
		end()
	})
}

// Killed at any moment, Bookhook loses nothing that it accepted, delivers nothing twice but what was on its way, and
// says so in the log.
func TestCrashKill(t *testing.T) {
	t.Parallel()
	c := newCrash(t, t.TempDir())
	for range crashes(t) {
		c.under(c.op.kill9)
		c.op.keepPort()
		if rand.IntN(5) == 0 { // and again while it starts
			c.op.launch()
			sometime(0, 150)
			c.op.kill9()
		}
		c.op.restart()
	}
	c.away.behaves(well)
	c.audit(true)
}

// Asked to stop at any moment, it cuts nothing off.
func TestCrashTerminate(t *testing.T) {
	t.Parallel()
	c := newCrash(t, t.TempDir())
	for range max(3, crashes(t)/10) {
		c.under(func() {
			began := time.Now()
			c.op.stop()
			if took := time.Since(began); took > 10*time.Second { // after which Docker kills
				t.Errorf("it took %s to stop", took)
			}
		})
		c.op.restart()
	}
	c.away.behaves(well)
	c.audit(false)
}

// Killed while it makes its database, it makes it at the next start.
func TestCrashFirstStart(t *testing.T) {
	t.Parallel()
	for range max(2, crashes(t)/20) {
		s := &server{t: t, args: []string{"serve", "--database", filepath.Join(t.TempDir(), "bookhook.db"), "--listen", "127.0.0.1:0"}}
		for range 4 {
			s.launch()
			sometime(0, 100)
			s.kill9()
		}
		s.start()
		s.setupLink()
		s.stop()
	}
}
