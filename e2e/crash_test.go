package e2e

import (
	"cmp"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// crash is Bookhook under load, with a receiver that is well, one that misbehaves and one that is away for a while.
type crash struct {
	shared  bool // other replicas could use the database: what a dead one was asked has to time out
	op      *shop
	dice    *dice
	bell    *bell
	history *history

	pace func(*dice) time.Duration // before a request

	load             *load
	post             *post
	asker            *asker
	replayer         *replayer
	well, wild, away *sink
}

func newCrash(t testing.TB, folder string, seed uint64) *crash {
	t.Helper()
	return newCrashOf(newShopIn(t, folder), newDice(seed))
}

func newCrashOf(op *shop, d *dice) *crash {
	op.t.Helper()
	c := &crash{shared: strings.HasPrefix(op.Database, "postgres://"), op: op, dice: d, bell: &bell{}, history: newHistory(), pace: bursts}
	many := map[string]any{"concurrency": 32}
	c.well, c.wild, c.away = c.newSink("Accounting", well, many), c.newSink("Portal", c.dice.wild, many), c.newSink("Partner", away, many)
	c.load, c.post, c.asker, c.replayer = newLoad(c), newPost(c), newAsker(c), newReplayer(c)
	return c
}

func (c *crash) sinks() []*sink { return []*sink{c.well, c.wild, c.away} }

// under has the load on for some time, in which Partner may be away, and then ends Bookhook in the middle of it, at any
// moment or in the middle of something.
func (c *crash) under(end func()) {
	c.op.t.Helper()
	c.away.behaves([]func() manner{well, well, away}[c.dice.n(3)])
	c.while(func() {
		time.Sleep(c.dice.millis(50, 600)) // when a crash comes, nobody can know
		c.bell.wait([]string{atAnyPoint, atAnyPoint, atAnyPoint, anAnswer, aDelivery, aLookup, aQuestion}[c.dice.n(7)])
		end()
	})
}

// Set by "make crash".
const (
	crashKills  = "BOOKHOOK_CRASH_KILLS"  // in this run; by default a few
	crashCounts = "BOOKHOOK_CRASH_COUNTS" // the file in which runs are added up
)

// crashes is how often to kill in this run.
func crashes(t testing.TB) int {
	t.Helper()
	n, err := strconv.Atoi(cmp.Or(os.Getenv(crashKills), "12"))
	must(t, err)
	return n
}

// killsOfRound is how often a database is killed, at most, before it is audited: an audit reads everything.
const killsOfRound = 50

// Killed at any moment, Bookhook loses nothing that it accepted, delivers nothing twice but what was on its way, and
// says so in the log.
func TestCrashKill(t *testing.T) {
	t.Parallel()
	path := os.Getenv(crashCounts)
	counts := readCrashCounts(t, path)
	for left := crashes(t); left > 0 && !t.Failed(); left -= killsOfRound {
		seed := counts.Seed
		passed := t.Run("seed "+strconv.FormatUint(seed, 10), func(t *testing.T) {
			counts.round(t, min(left, killsOfRound))
		})
		counts.ended(seed, passed)
		counts.write(t, path)
		t.Logf("in all runs: %s", counts)
	}
}

// round kills some times and audits. What it did before it failed counts as well.
func (n *counts) round(t *testing.T, kills int) {
	began := time.Now()
	c := newCrash(t, keptFolder(t, n.Seed), n.Seed)
	n.Starts++
	kill := func() {
		c.op.kill9()
		n.Kills++
		c.op.keepLog()
	}
	defer func() { n.Seconds += time.Since(began).Seconds() }()
	for range kills {
		c.under(kill)
		c.op.keepPort()
		if c.dice.n(5) == 0 { // and again while it starts
			c.op.launch()
			n.Starts++
			time.Sleep(c.dice.millis(0, 150))
			kill()
		}
		c.op.restart()
		n.Starts++
	}
	c.away.behaves(well)
	n.add(c.audit(true))
}

// Asked to stop at any moment, it cuts nothing off.
func TestCrashTerminate(t *testing.T) {
	t.Parallel()
	c := newCrash(t, t.TempDir(), 0)
	for range max(3, min(20, crashes(t)/10)) {
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
	d := newDice(0)
	for range max(2, min(20, crashes(t)/20)) {
		s := &server{t: t, args: []string{"serve", "--database", filepath.Join(t.TempDir(), "bookhook.db"), "--listen", "127.0.0.1:0"}}
		for range 4 {
			s.launch()
			time.Sleep(d.millis(0, 100))
			s.kill9()
		}
		s.start()
		s.setupLink()
		s.stop()
	}
}
