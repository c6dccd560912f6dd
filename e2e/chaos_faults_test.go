//go:build unix

package e2e

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"bookhook/db/postgres/pgtest"
)

// fault is one kind of what can happen.
type fault struct {
	name string
	cuts bool // requests may be cut off by it: somebody dies, or loses the lease
	// do has it happen, and returns since when everything can be delivered again, or others can know that they have to.
	// What heal ends need not end for that.
	do         func(*chaos) (since time.Time, heal func())
	ofDatabase bool // while it lasts, results cannot be recorded
}

// faults are all kinds of faults, in any order; for less than all of them the first ones.
func (c *chaos) faults(times int) []fault {
	all := []fault{
		{"replica killed", true, (*chaos).kill, false},
		{"replica paused for longer than its lease", true, (*chaos).pause, false},
		{"replica stopped", false, (*chaos).terminate, false},
		{"network of a replica cut for a moment", false, (*chaos).cut, false},
		{"network of a replica silent for longer than its lease", true, (*chaos).silence, false},
		{"PostgreSQL stopped immediately", false, func(c *chaos) (time.Time, func()) { return c.restart("QUIT") }, true},
		{"standby promoted", false, (*chaos).promote, true},
		{"disk of PostgreSQL full", false, (*chaos).fillDisk, true},
		{"network of a replica cut for longer than its lease", true, (*chaos).cutLong, false},
		{"PostgreSQL stopped fast", false, func(c *chaos) (time.Time, func()) { return c.restart("INT") }, true},
		{"connections exhausted", false, (*chaos).exhaust, true},
	}
	if !c.small {
		c.t.Log("left out: a disk that is full; no small disk can be mounted here, which needs Linux and root")
		all = slices.DeleteFunc(all, func(f fault) bool { return f.name == "disk of PostgreSQL full" })
	}
	if times >= len(all) {
		for i := range all {
			j := i + c.dice.n(len(all)-i)
			all[i], all[j] = all[j], all[i]
		}
	}
	return all
}

// awaitMoment waits for any moment, or for the middle of something.
func (c *chaos) awaitMoment(a *crash) {
	time.Sleep(c.dice.millis(50, 600))
	a.bell.wait([]string{atAnyPoint, atAnyPoint, anAnswer, aDelivery, aLookup, aQuestion}[c.dice.n(6)])
}

func (c *chaos) kill() (time.Time, func()) {
	a := c.anyAccount()
	c.awaitMoment(a)
	r, epoch := c.owner(a)
	r.kill9()
	since := time.Now()
	again := func() {
		c.keepLog(r)
		r.keepPort()
		r.start()
	}
	if c.dice.n(2) == 0 {
		again()
		return since, func() { c.moved(a, epoch) }
	}
	return since, func() {
		c.moved(a, epoch)
		again()
	}
}

var (
	tookOver = regexp.MustCompile("accounts were taken over by another replica")
	dropped  = regexp.MustCompile("result dropped, since another replica has taken over the account")
)

// logs waits until a replica has printed one more line of these than before.
func (c *chaos) logs(r *replica, line *regexp.Regexp) (wait func()) {
	count := func() int { return len(line.FindAllString(r.log.String(), -1)) }
	before := count()
	return func() {
		c.t.Helper()
		eventually(c.t, r.URL+" logs once more: "+line.String(), func() bool { return count() > before })
	}
}

// pause stops a replica while a receiver has a request of it.
func (c *chaos) pause() (time.Time, func()) {
	a := c.anyAccount()
	c.awaitMoment(a)
	a.well.behaves(func() manner { return manner{status: 200, pause: 300 * time.Millisecond} })
	eventually(c.t, "the receiver has a delivery", func() bool { return a.bell.wait(aGoodOne) })
	r, epoch := c.owner(a)
	refused := c.logs(r, dropped)
	must(c.t, r.cmd.Process.Signal(syscall.SIGSTOP))
	since := time.Now()
	a.well.behaves(well)
	return since, func() {
		c.moved(a, epoch)
		must(c.t, r.cmd.Process.Signal(syscall.SIGCONT))
		refused()
	}
}

func (c *chaos) terminate() (time.Time, func()) {
	a := c.anyAccount()
	c.awaitMoment(a)
	r, epoch := c.owner(a)
	since := time.Now()
	r.stop()
	return since, func() {
		c.moved(a, epoch)
		c.keepLog(r)
		r.keepPort()
		r.start()
	}
}

func (c *chaos) cut() (time.Time, func()) {
	a := c.anyAccount()
	c.awaitMoment(a)
	r, _ := c.owner(a)
	before := r.proxy.Refused.Load()
	r.proxy.Sever()
	eventually(c.t, "the replica cannot connect", func() bool { return r.proxy.Refused.Load() > before })
	time.Sleep(c.dice.millis(0, 3000))
	r.proxy.Down.Store(false)
	return time.Now(), nil
}

func (c *chaos) cutLong() (time.Time, func()) {
	return c.away(func(r *replica) func() {
		r.proxy.Sever()
		return func() { r.proxy.Down.Store(false) }
	})
}

func (c *chaos) silence() (time.Time, func()) {
	return c.away(func(r *replica) func() {
		r.proxy.Mute.Store(true)
		return func() { r.proxy.Mute.Store(false) }
	})
}

// away has a replica away for longer than its lease.
func (c *chaos) away(begin func(*replica) (end func())) (time.Time, func()) {
	a := c.anyAccount()
	c.awaitMoment(a)
	r, epoch := c.owner(a)
	lost := c.logs(r, tookOver)
	end := begin(r)
	since := time.Now()
	return since, func() {
		c.moved(a, epoch)
		end()
		lost()
	}
}

// began is when the server began, which tells one run of it from the next.
func (c *chaos) began() string {
	return pgtest.Value(c.t, c.server.URL, `SELECT CAST(pg_postmaster_start_time() AS TEXT)`)
}

func (c *chaos) restart(signal string) (time.Time, func()) {
	before := c.began()
	c.awaitMoment(c.anyAccount())
	c.server.Stop(c.t, signal)
	time.Sleep(c.dice.millis(0, 2000))
	c.server.Start(c.t)
	if c.began() == before {
		c.t.Error("PostgreSQL was not restarted")
	}
	return time.Now(), nil
}

// promote loses the server, and goes on with a standby, which has everything.
func (c *chaos) promote() (time.Time, func()) {
	disk, before := c.newDisk(), c.began()
	standby := c.server.Standby(c.t, disk)
	c.awaitMoment(c.anyAccount())
	c.server.Stop(c.t, "KILL")
	if pgtest.Value(c.t, standby.URL, `SELECT pg_promote() AND NOT pg_is_in_recovery()`) != "true" {
		c.t.Error("the standby was not promoted")
	}
	must(c.t, os.RemoveAll(filepath.Join(c.disk, "data")))
	c.server, c.disk = standby, disk
	for _, r := range c.replicas {
		r.proxy.To(c.t, standby.URL)
	}
	if c.began() == before {
		c.t.Error("it is still the server of before")
	}
	return time.Now(), nil
}

// serverLogs waits until PostgreSQL has printed something once more than before.
func (c *chaos) serverLogs(text string) (wait func()) {
	before := strings.Count(c.server.Log(), text)
	return func() {
		c.t.Helper()
		eventually(c.t, "PostgreSQL logs once more: "+text, func() bool { return strings.Count(c.server.Log(), text) > before })
	}
}

func (c *chaos) fillDisk() (time.Time, func()) {
	c.awaitMoment(c.anyAccount())
	isFull := c.serverLogs("No space left on device")
	empty := fill(c.t, c.disk)
	isFull()
	time.Sleep(c.dice.millis(0, 2000))
	empty()
	if c.server.Ping() != nil { // it ends when it has no room
		c.server.Stop(c.t, "QUIT")
		c.server.Start(c.t)
	}
	return time.Now(), nil
}

// exhaust takes all connections of the server.
func (c *chaos) exhaust() (time.Time, func()) {
	c.awaitMoment(c.anyAccount())
	hog, err := sql.Open("pgx", c.server.URL)
	must(c.t, err)
	ctx, end := context.WithCancel(c.t.Context())
	defer end()
	for _, r := range c.replicas {
		r.proxy.Sever()
	}
	isRefused := c.serverLogs("too many clients already")
	var takers sync.WaitGroup
	for range 5 {
		takers.Go(func() {
			for err := error(nil); err == nil; {
				_, err = hog.BeginTx(ctx, nil)
			}
		})
	}
	takers.Wait()
	isRefused()
	isRefused = c.serverLogs("too many clients already")
	for _, r := range c.replicas {
		r.proxy.Down.Store(false)
	}
	isRefused()
	time.Sleep(c.dice.millis(0, 2000))
	end() // all transactions
	must(c.t, hog.Close())
	return time.Now(), nil
}
