//go:build unix

package e2e

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bookhook/db/postgres/pgtest"
)

// Set by "make chaos".
const (
	chaosFaults = "BOOKHOOK_CHAOS_FAULTS" // in this run; by default a few
	chaosCounts = "BOOKHOOK_CHAOS_COUNTS" // the file in which runs are added up
)

// faultsOfRound is how many faults one database goes through, at most, before it is audited.
const faultsOfRound = 11

// recoveryTime is within which everything that was accepted has been delivered: ten seconds after the end of the lease,
// or of the fault. Beside other tests, on any machine, it may take three times as long.
const recoveryTime = 20 * time.Second

func recoveryLimit() time.Duration {
	if os.Getenv(chaosFaults) == "" {
		return 3 * recoveryTime
	}
	return recoveryTime
}

// chaos is three replicas on a PostgreSQL of their own, to which each has a network of its own, and accounts with the
// load of "make crash", which comes in at all replicas.
type chaos struct {
	t        testing.TB
	dice     *dice
	folder   string // for the logs
	small    bool   // the disk of the database is
	server   *pgtest.Server
	disk     string // of the server
	replicas []*replica
	balancer *balancer
	accounts []*crash
	suffered []happening
}

// replica is one of them.
type replica struct {
	*server
	proxy *pgtest.Proxy
}

// happening is a fault from its beginning until all is as before.
type happening struct {
	fault
	began, ended time.Time
	recovery     time.Duration
}

// faultCounts are the sums of one kind of faults.
type faultCounts struct {
	Times   int
	Twice   int     // deliveries that were taken again after that
	Slowest float64 // recovery, in seconds
}

func newChaos(t testing.TB, seed uint64) *chaos {
	t.Helper()
	c := &chaos{t: t, dice: newDice(seed), folder: keptFolder(t, seed)}
	c.disk = c.newDisk()
	c.server = pgtest.NewServer(t, c.disk, "max_connections=45", "max_wal_size=96MB", "min_wal_size=32MB", "wal_keep_size=64MB")
	pgtest.Exec(t, c.server.URL, `CREATE DATABASE bookhook`)
	var urls []string
	for range 3 {
		proxy := pgtest.NewProxy(t, c.server.In("bookhook"))
		r := &replica{startServerIn(t, proxy.URL, "--allow-private-targets", "127.0.0.0/8"), proxy}
		c.replicas, urls = append(c.replicas, r), append(urls, r.URL)
	}
	c.balancer = newBalancer(t, c.dice, urls)
	site := &server{t: t, URL: c.balancer.URL, Database: c.server.In("bookhook")}
	for n := range 3 {
		op := site.shop(strconv.Itoa(4069+n), fmt.Sprint("ada", n, "@example.com"))
		a := newCrashOf(op, c.dice)
		a.well.rung, a.load.refusal, a.pace = aGoodOne, c.refusal, func(d *dice) time.Duration { return d.millis(0, 6000) }
		a.post.well.Store(true) // lookups that fail are repeated after half a minute
		c.accounts = append(c.accounts, a)
	}
	return c
}

// newDisk is a folder for a server, which is a small disk where one can be mounted.
func (c *chaos) newDisk() string {
	c.t.Helper()
	folder, err := os.MkdirTemp("", "bookhook-chaos-")
	must(c.t, err)
	c.t.Cleanup(func() { must(c.t, os.RemoveAll(folder)) })
	c.small = mountDisk(c.t, folder, "768m") == nil
	return folder
}

// refusal checks an answer that refuses: it says that it may be sent again.
func (c *chaos) refusal(r reply) {
	if r.Status != 503 || !strings.Contains(string(r.Body), "Send it again") {
		c.t.Errorf("got %d %s, want 503 and that it may be sent again", r.Status, r.Body)
	}
}

// while has the load of all accounts on.
func (c *chaos) while(do func()) {
	for _, a := range c.accounts {
		inner := do
		do = func() { a.while(inner) }
	}
	do()
}

// anyAccount is one of them.
func (c *chaos) anyAccount() *crash { return c.accounts[c.dice.n(len(c.accounts))] }

// owner is the replica that serves an account, and for the how manieth time somebody does.
func (c *chaos) owner(a *crash) (owner *replica, epoch int) {
	c.t.Helper()
	eventually(c.t, "account "+a.op.Number+" is served", func() bool {
		name := ""
		_, err := fmt.Sscan(pgtest.Value(c.t, c.server.In("bookhook"), `SELECT COALESCE(max(r.name || ' ' || s.epoch), '')
			FROM accounts a JOIN shards s ON s.shard = a.id % 61 JOIN replicas r ON r.id = s.replica
			WHERE a.number = $1 AND r.lease_end > extract(epoch FROM clock_timestamp()) * 1000`, a.op.Number), &name, &epoch)
		for _, r := range c.replicas {
			if err == nil && strings.HasSuffix(r.URL, name[strings.LastIndex(name, ":"):]) {
				owner = r
			}
		}
		return owner != nil
	})
	return owner, epoch
}

// moved checks that somebody else has served the account since.
func (c *chaos) moved(a *crash, before int) {
	c.t.Helper()
	if _, epoch := c.owner(a); epoch == before {
		c.t.Errorf("account %s is still served for the %dth time", a.op.Number, before)
	}
}

// suffer goes through a fault, under load.
func (c *chaos) suffer(f fault) {
	c.t.Helper()
	h := happening{fault: f, began: time.Now()}
	for _, a := range c.accounts {
		a.away.behaves([]func() manner{well, well, away}[c.dice.n(3)])
	}
	c.t.Logf("%s %s", h.began.UTC().Format(time.TimeOnly), f.name)
	before := c.takenOver()
	since, heal := f.do(c)
	last := c.recovered(since)
	h.recovery = time.Since(since)
	if heal != nil {
		heal()
	}
	for _, r := range c.replicas {
		r.awaitHealth(200)
	}
	h.ended = time.Now()
	h.cuts = h.cuts || c.takenOver() != before // PostgreSQL was away for longer than a lease
	c.t.Logf("all is delivered after %s, and all is as before after %s", h.recovery, h.ended.Sub(h.began))
	if limit := recoveryLimit(); h.recovery > limit {
		c.t.Errorf("%s: all is delivered after %s, want %s at most; the last was %s", f.name, h.recovery, limit, last)
	}
	c.suffered = append(c.suffered, h)
}

// takenOver is how often replicas say that they lost accounts.
func (c *chaos) takenOver() (n int) {
	for _, r := range c.replicas {
		n += len(tookOver.FindAllString(r.log.String(), -1))
	}
	return n
}

// recovered waits until new events are accepted of each account, and until the receiver that is well has got everything
// that was accepted by then. It returns what was delivered last.
func (c *chaos) recovered(since time.Time) (last string) {
	c.t.Helper()
	for _, a := range c.accounts {
		a.load.probe()
		c.t.Logf("account %s accepts after %s", a.op.Number, time.Since(since))
	}
	for _, a := range c.accounts {
		missing := a.load.missing()
		eventuallyWithin(c.t, 2*time.Minute, "everything is delivered of account "+a.op.Number, func() bool {
			for len(missing) > 0 && a.well.took(missing[0]) {
				missing, last = missing[1:], missing[0]
			}
			return len(missing) == 0
		})
	}
	return last
}

// audit audits all accounts, and finds for each delivery that was taken twice the fault that cut it off.
func (c *chaos) audit(n *counts) {
	c.t.Helper()
	for _, h := range c.suffered {
		of := n.Faults[h.name]
		if of == nil {
			of = &faultCounts{}
			n.Faults[h.name] = of
		}
		of.Times++
		of.Slowest = max(of.Slowest, h.recovery.Seconds())
	}
	for _, a := range c.accounts {
		a.away.behaves(well)
		t := a.audit(true)
		n.add(t)
		for _, first := range t.twice {
			at := a.history.began.Add(time.Duration(first.came))
			if of := c.cutBy(at); of != nil {
				n.Faults[of.name].Twice++
			} else {
				c.t.Errorf("account %s: %+v at %s was repeated, and no fault cut it off", a.op.Number, first, at.UTC().Format(time.TimeOnly))
			}
		}
	}
}

// cutBy is the fault that can have cut off a request that came at this time.
func (c *chaos) cutBy(at time.Time) *happening {
	for i, h := range c.suffered {
		from := h.began.Add(-time.Second)
		if i > 0 && c.suffered[i-1].ofDatabase { // what it kept from being recorded may be cut off only now
			from = c.suffered[i-1].began
		}
		if h.cuts && at.After(from) && at.Before(h.ended) {
			return &c.suffered[i]
		}
	}
	return nil
}

// keepLog keeps what a process printed that has ended.
func (c *chaos) keepLog(r *replica) {
	r.keepLogIn(filepath.Join(c.folder, "serve"+r.URL[strings.LastIndex(r.URL, ":"):]+".log"))
}

// Whatever happens to replicas, to the network between them and PostgreSQL, and to that: nothing that was accepted is
// lost, nothing overtakes within a booking, nothing arrives twice but what was cut off, and soon all is as before.
func TestChaos(t *testing.T) {
	t.Parallel()
	path := os.Getenv(chaosCounts)
	counts := readCrashCounts(t, path)
	if counts.Faults == nil {
		counts.Faults = map[string]*faultCounts{}
	}
	left, err := strconv.Atoi(cmp.Or(os.Getenv(chaosFaults), "8"))
	must(t, err)
	for ; left > 0 && !t.Failed(); left -= faultsOfRound {
		seed := counts.Seed
		passed := t.Run("seed "+strconv.FormatUint(seed, 10), func(t *testing.T) { counts.chaos(t, min(left, faultsOfRound)) })
		counts.ended(seed, passed)
		counts.write(t, path)
		t.Logf("in all runs: %s\n%s", counts, counts.everyFault())
	}
}

// everyFault is a line for each kind of faults.
func (n *counts) everyFault() string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(n.Faults)) {
		of := n.Faults[name]
		fmt.Fprintf(&text, "%s: %d times, %d deliveries taken twice, all delivered after %.1f s at most\n", name, of.Times, of.Twice, of.Slowest)
	}
	return text.String()
}

// chaos goes through some faults and audits.
func (n *counts) chaos(t *testing.T, times int) {
	began := time.Now()
	defer func() { n.Seconds += time.Since(began).Seconds() }()
	c := newChaos(t, n.Seed)
	var todo []fault
	c.while(func() {
		for i := range times {
			if len(todo) == 0 {
				todo = c.faults(times - i)
			}
			c.suffer(todo[0])
			todo = todo[1:]
		}
	})
	c.audit(n)
	for _, r := range c.replicas {
		c.keepLog(r)
	}
}
