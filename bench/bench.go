package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"bookhook/db"
	"bookhook/seal"
)

// Options say what to measure; all are required but Backlog and Dir, and the last two without Full.
type Options struct {
	Command     func(args ...string) *exec.Cmd // Bookhook with these arguments
	Version     string
	Time        time.Duration // of each measurement
	Connections int           // of the load
	Backlog     time.Duration // how long the backlog grows; 0: four times Time
	Progress    io.Writer     // one line for each measurement
	Dir         string        // where the databases are created; the full one stays there. "": a temporary folder
	Full        bool          // also with a full table, and with receivers that are dead or slow
	Deliveries  int           // in the full table
	Accounts    int           // in the full table, with ten webhooks each
	KeyFile     string        // of the key that encrypts the secrets in the databases; "": they are not encrypted
	Key         *seal.Key     // what is in it; nil without one

	// NewDatabase returns the URL of a database on PostgreSQL for one measurement, with
	// nothing of Bookhook's or what an earlier measurement left; nil: there is none.
	NewDatabase     func(context.Context) (string, error)
	DatabaseProcess int // id of the process of that server, which counts with its children; 0: it is on another machine
}

// unstoredCommand is the hidden command of the second way.
const unstoredCommand = "bench-unstored"

// Run runs the measurements one after the other and leaves nothing behind except
// the full table in Dir. With an error, it returns what was measured until then.
func Run(ctx context.Context, o Options) (*Report, error) {
	return o.run(ctx, (*runner).all)
}

// run runs the steps with what they need, and removes it afterwards.
func (o Options) run(ctx context.Context, steps func(*runner, context.Context) error) (report *Report, err error) {
	report = newReport(o)
	if o.Dir != "" {
		if err := os.MkdirAll(o.Dir, 0o700); err != nil {
			return report, err
		}
	}
	temp, err := os.MkdirTemp(o.Dir, "bookhook-bench-")
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	receiver, err := startReceiver(ctx)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, receiver.close()) }()
	r := &runner{Options: o, temp: temp, receiver: receiver, report: report}
	if report.CommitMS, err = commitTime(temp); err != nil {
		return report, err
	}
	return report, steps(r, ctx)
}

// runner runs the measurements.
type runner struct {
	Options
	temp     string
	receiver *receiver
	report   *Report
}

// phase is one measurement.
type phase struct {
	name   string
	way    Way
	peer   *Peer // that is measured instead of Bookhook; nil: none
	number int   // of replicas on PostgreSQL; 0: one Bookhook on SQLite
	shape  shape
	sent   int           // channels of each account that events are sent to; 0: all
	keep   int           // days of the retention; 0: for ever
	path   string        // of an existing database; "": one for this measurement
	rate   int           // events/s; 0: as many as possible
	warm   time.Duration // before the time that counts; 0: as usual
	time   time.Duration
	target func(account int) string                                              // URL of the webhooks of an account; nil: the healthy receiver
	wanted func(account int) bool                                                // the accounts that are counted; nil: all
	fill   func(context.Context, *db.Store, *sampleAccounts, *deliveryLog) error // called before Bookhook starts; nil: nothing
	enough func(context.Context, *deliveryLog)                                   // the load ends when it returns, and after time at the latest; nil: after time
	ended  func(context.Context, *server, *sampleAccounts) error                 // called between the load and the wait for deliveries in flight; nil: nothing
}

// measure runs one phase: it creates the database, sends the load and counts.
func (r *runner) measure(ctx context.Context, p phase) (m *Measurement, err error) {
	fmt.Fprintf(r.Progress, "%s, %s\n", p.name, p.way)
	if p.target == nil {
		p.target = func(int) string { return r.receiver.url }
	}
	if p.wanted == nil {
		p.wanted = func(int) bool { return true }
	}
	if p.number > 0 {
		if p.path, err = r.NewDatabase(ctx); err != nil {
			return nil, err
		}
	} else if p.path == "" {
		p.path = filepath.Join(r.temp, "bench.db")
		defer func() { err = errors.Join(err, removeDatabase(p.path)) }()
	}
	sample, err := createSample(ctx, p.path, r.Key, p.shape, p.target)
	if err != nil {
		return nil, err
	}
	before := fileSize(p.path)
	m, log, err := r.underLoad(ctx, p, sample)
	if err != nil {
		return nil, fmt.Errorf("%s, %s: %w", p.name, p.way, err)
	}
	if m.Accepted == 0 {
		return nil, fmt.Errorf("%s, %s: nothing was accepted: %w", p.name, p.way, log.lastRefusal())
	}
	if p.way == Stored || p.number > 0 {
		if m.Unrecorded, err = sample.unrecorded(ctx, p.path, p.wanted); err != nil {
			return nil, err
		}
	}
	if p.way == Stored {
		m.DatabaseBytes = new(float64(fileSize(p.path)-before) / float64(m.all))
	}
	r.report.Measurements = append(r.report.Measurements, m)
	return m, nil
}

// underLoad starts what is measured, sends the load, waits for deliveries in
// flight, and stops it.
func (r *runner) underLoad(ctx context.Context, p phase, sample *sampleAccounts) (m *Measurement, log *deliveryLog, err error) {
	targets := []string{r.receiver.url}
	log = r.receiver.begin()
	if err := r.fillBefore(ctx, p, sample, log); err != nil {
		return nil, nil, err
	}
	began := time.Now()
	var processes servers
	if p.way != Bare {
		if processes, err = r.startServers(ctx, p); err != nil {
			return nil, nil, err
		}
		targets = processes.targets()
		var release context.CancelFunc
		ctx, release = processes.watch(ctx)
		defer release()
	}
	m, w, err := r.drive(ctx, p, sample, processes, log, targets)
	if err := errors.Join(err, processes.stop()); err != nil {
		return nil, nil, err
	}
	wanted := func(number int) bool { return p.wanted(number % p.shape.accounts) }
	m.served = time.Since(began)
	m.count(log.count(w, wanted), w, log, p.way)
	if len(processes) == 1 && p.peer == nil {
		m.total(processes[0].cmd.ProcessState)
	}
	return m, log, nil
}

// startServers starts what is measured.
func (r *runner) startServers(ctx context.Context, p phase) (processes servers, err error) {
	for range max(1, p.number) {
		command, err := r.command(ctx, p)
		if err != nil {
			return nil, errors.Join(err, processes.stop())
		}
		process, err := startServer(ctx, command)
		if err != nil {
			return nil, errors.Join(err, processes.stop())
		}
		processes = append(processes, process)
	}
	return processes, nil
}

// fillBefore does what is to be in the database before Bookhook starts.
func (r *runner) fillBefore(ctx context.Context, p phase, sample *sampleAccounts, log *deliveryLog) error {
	if p.fill == nil {
		return nil
	}
	store, err := db.Open(ctx, p.path, r.Key)
	if err != nil {
		return err
	}
	return errors.Join(p.fill(ctx, store, sample, log), store.Close())
}

func (r *runner) drive(ctx context.Context, p phase, sample *sampleAccounts, processes servers, log *deliveryLog, targets []string) (*Measurement, window, error) {
	addresses := make([]*url.URL, len(targets))
	for i, target := range targets {
		var err error
		if addresses[i], err = url.Parse(target); err != nil {
			return nil, window{}, err
		}
	}
	m := &Measurement{
		Name: p.name, Way: p.way, Accounts: p.shape.accounts, Webhooks: p.shape.accounts * p.shape.perAccount,
		Connections: r.Connections, Rate: p.rate,
	}
	l := &load{
		log: log, urls: addresses, tokens: sample.tokens, perAccount: cmp.Or(p.sent, p.shape.perAccount), connections: r.Connections,
		enough: p.enough, rate: p.rate, warm: cmp.Or(p.warm, warmTime(p.time)), time: p.time,
	}
	w, err := l.run(ctx, func() { m.sample(processes, r.databaseOf(p)) })
	if err != nil {
		return nil, w, err
	}
	if p.ended != nil {
		if err := p.ended(ctx, processes[0], sample); err != nil {
			return nil, w, err
		}
	}
	began := time.Now()
	err = log.drain(ctx, func(number int) bool { return p.wanted(number % p.shape.accounts) })
	m.DrainSeconds = time.Since(began).Seconds()
	return m, w, err
}

// databaseOf returns the id of the database server's process that counts with what is
// measured; 0 for none.
func (r *runner) databaseOf(p phase) int {
	switch {
	case p.peer != nil:
		return p.peer.Database
	case p.number > 0:
		return r.DatabaseProcess
	}
	return 0
}

// warmTime returns how long a load lasts before the time that counts.
func warmTime(counted time.Duration) time.Duration { return min(counted/5, 2*time.Second) }

// command returns the command that runs Bookhook, or the peer, for the phase. Every
// setting is given, so that none comes from the environment.
func (r *runner) command(ctx context.Context, p phase) (*exec.Cmd, error) {
	switch {
	case p.peer != nil:
		return p.peer.Command(ctx, r.receiver.url)
	case p.way == Unstoring:
		return r.Command(unstoredCommand, "--database", p.path), nil
	}
	return r.serve(p.path, cmp.Or(p.keep, forEver)), nil
}

// forEver is the longest retention, in days.
const forEver = 36500

func (r *runner) serve(path string, days int) *exec.Cmd {
	args := []string{
		"serve", "--listen", "127.0.0.1:0", "--database", path, "--allow-private-targets", "127.0.0.1",
		"--base-url=", "--trusted-proxies=", "--connections-per-address", "100000", "--retention", strconv.Itoa(days), "--log-format", "text", "--log-level", "warn",
	}
	if r.KeyFile != "" {
		args = append(args, "--secret-key-file", r.KeyFile)
	}
	return r.Command(args...)
}

// fileSize returns the size of a database's file; 0 for one on a server.
func fileSize(path string) int64 {
	if info, err := os.Stat(path); err == nil {
		return info.Size()
	}
	return 0
}

func removeDatabase(path string) error {
	var err error
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		if e := os.Remove(path + suffix); !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// commitTime returns the median time of syncing one page to the disk that holds
// the databases, in milliseconds: without it the figures of two machines cannot
// be compared.
func commitTime(dir string) (float64, error) {
	file, err := os.Create(filepath.Join(dir, "commit"))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	page := make([]byte, 4096)
	var all []time.Duration
	for range 100 {
		began := time.Now()
		if _, err := file.Write(page); err != nil {
			return 0, err
		}
		if err := file.Sync(); err != nil {
			return 0, err
		}
		all = append(all, time.Since(began))
	}
	return percentiles(all).P50, nil
}
