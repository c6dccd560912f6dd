package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"bookhook/db"
	"bookhook/dispatch/guard"
	"bookhook/webhook"
)

type doctorCommand struct {
	Listen              listenAddress  `setting:"" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where Bookhook listens (${default})."`
	BaseURL             baseURL        `setting:"" name:"base-url" placeholder:"URL" help:"How people reach Bookhook when it is behind a proxy."`
	AllowPrivateTargets privateTargets `setting:"" placeholder:"CIDR,…" help:"Private addresses that webhooks may call. Default: none."`
	Mail                mailFlags      `embed:""`
}

// Validate checks flags that depend on one another.
func (c doctorCommand) Validate() error { return c.Mail.validate() }

// Bounds of the checks.
const (
	lookUpTimeout = 5 * time.Second // of one name
	leastFree     = 1 << 30         // bytes on the disk
	slowDisk      = 100 * time.Millisecond
	mostSkew      = time.Minute // receivers refuse signatures that are five minutes old or new
	mostHosts     = 50          // looked up
	mostAnswers   = 20          // whose date is compared
)

// errUnwell is the result of doctor if anything is wrong; the details have been
// printed.
var errUnwell = errors.New("something is wrong; see above")

// Run checks what Bookhook needs and prints what it finds, a line for each.
func (c doctorCommand) Run(ctx context.Context, std streams, at database) error {
	r := &report{to: std}
	newest, ok := r.examine(ctx, at)
	var in instance
	if ok {
		err := withStore(ctx, at, func(store *db.Store) (err error) {
			in, err = readInstance(ctx, store)
			return err
		})
		if err != nil {
			return err
		}
	}
	r.checkClock(time.Now(), newest, in.skews)
	r.checkAddresses(ctx, c)
	r.checkReceivers(ctx, c, in.urls)
	r.checkMail(ctx, c.Mail)
	if r.wrong {
		return errUnwell
	}
	return nil
}

// report prints findings.
type report struct {
	to    streams
	wrong bool
}

func (r *report) ok(what, format string, args ...any) {
	fmt.Fprintf(r.to.out, "ok     %s: %s\n", what, fmt.Sprintf(format, args...))
}

// warn reports what is not wrong, but could be better.
func (r *report) warn(what, format string, args ...any) {
	fmt.Fprintf(r.to.out, "warn   %s: %s\n", what, fmt.Sprintf(format, args...))
}

func (r *report) bad(what, format string, args ...any) {
	r.wrong = true
	fmt.Fprintf(r.to.out, "wrong  %s: %s\n", what, fmt.Sprintf(format, args...))
}

// examine checks the database and where it is. It returns when the newest event was
// received, and whether the database can be opened without an upgrade.
func (r *report) examine(ctx context.Context, at database) (newest time.Time, ok bool) {
	if db.OnServer(string(at.path)) {
		health := db.Diagnose(ctx, string(at.path))
		for _, f := range health.Findings {
			switch f.Severity {
			case db.Wrong:
				r.bad(f.What, "%s", f.Text)
			case db.Doubtful:
				r.warn(f.What, "%s", f.Text)
			default:
				r.ok(f.What, "%s", f.Text)
			}
		}
		return health.Newest, health.Usable && r.checkSecrets(ctx, at)
	}
	held, ok := r.checkDatabase(ctx, at)
	ok = r.checkSecrets(ctx, at) && ok
	r.checkDisk(filepath.Dir(string(at.path)))
	return held.Newest, ok
}

// checkDatabase reads the whole database, and reports whether it can be opened
// without an upgrade.
func (r *report) checkDatabase(ctx context.Context, at database) (held db.Contents, ok bool) {
	held, err := db.Check(ctx, string(at.path))
	if errors.Is(err, fs.ErrNotExist) {
		err = noDatabase(at)
	}
	if err != nil {
		r.bad("database", "%s", oneLine(err))
		return held, false
	}
	r.ok("database", "%s is sound: %s", absolute(at.path), describeContents(held))
	if held.Outdated {
		r.ok("database", "its schema is that of an older Bookhook, and is upgraded when this one starts")
	}
	if held.WAL > 1<<30 {
		r.bad("database", "its write-ahead log has %.1f GB; something keeps it open for reading for a long time, such as a backup by other means", float64(held.WAL)/1e9)
	}
	return held, !held.Outdated
}

// checkDisk writes a small file, as each commit does, and looks at the free space.
func (r *report) checkDisk(folder string) {
	took, err := timeSync(folder)
	switch {
	case err != nil:
		r.bad("disk", "nothing can be written to %s: %s", folder, err)
		return
	case took > slowDisk:
		r.bad("disk", "writing to %s takes %s; more than %s makes every event wait", folder, took.Round(time.Millisecond), slowDisk)
	default:
		r.ok("disk", "a write to %s is on disk after %s", folder, took.Round(10*time.Microsecond))
	}
	free, err := freeSpace(folder)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
	case err != nil:
		r.bad("disk", "the free space of %s cannot be read: %s", folder, err)
	case free < leastFree:
		r.bad("disk", "only %.1f GB are free in %s; delete something, or shorten --retention", float64(free)/1e9, folder)
	default:
		r.ok("disk", "%.1f GB are free", float64(free)/1e9)
	}
}

// timeSync returns how long a small write takes to be on disk: the best of three.
func timeSync(folder string) (time.Duration, error) {
	file, err := os.CreateTemp(folder, ".bookhook-doctor-")
	if err != nil {
		return 0, err
	}
	defer os.Remove(file.Name()) //nolint:errcheck // nothing is lost with it
	defer file.Close()
	best := time.Hour
	for range 3 {
		start := time.Now()
		if _, err := file.WriteString("bookhook"); err != nil {
			return 0, err
		}
		if err := file.Sync(); err != nil {
			return 0, err
		}
		best = min(best, time.Since(start))
	}
	return best, nil
}

// checkClock compares the clock with what was stored before, and with those of
// receivers.
func (r *report) checkClock(now, newest time.Time, skews []time.Duration) {
	if newest.After(now.Add(mostSkew)) {
		r.bad("clock", "it is %s here, but the newest event was received at %s: the clock was set back", utc(now), utc(newest))
		return
	}
	if len(skews) == 0 {
		r.ok("clock", "it is %s here; no receiver has answered yet whose clock it could be compared with", utc(now))
		return
	}
	slices.Sort(skews)
	median := skews[len(skews)/2]
	if median.Abs() > mostSkew {
		r.bad("clock", "it is %s here, which differs by %s from the clocks of most receivers; they refuse signatures that are five minutes off", utc(now), median.Round(time.Second))
		return
	}
	r.ok("clock", "it is %s here, which differs by %s from the clocks of receivers", utc(now), median.Round(time.Second))
}

func utc(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// checkAddresses checks where Bookhook listens, and whether people reach it.
func (r *report) checkAddresses(ctx context.Context, c doctorCommand) {
	var health healthURL
	if err := health.UnmarshalText([]byte(c.Listen)); err != nil { // port 0 is any free one
		r.ok("address", "--listen: %s", err)
	} else if err := askHealth(ctx, string(health)); err == nil {
		r.ok("address", "a Bookhook answers at %s", c.Listen)
	} else if listener, free := listen(ctx, string(c.Listen), "--listen"); free == nil {
		_ = listener.Close()
		r.ok("address", "%s is free, no Bookhook is running there", c.Listen)
	} else {
		r.bad("address", "%s is in use, and what answers there is not a healthy Bookhook (%s)", c.Listen, err)
	}
	if c.BaseURL == "" {
		return
	}
	if err := askHealth(ctx, string(c.BaseURL)+"/healthz"); err != nil {
		r.bad("address", "Bookhook cannot be reached at %s: %s; check the proxy and the name's DNS record", c.BaseURL, err)
		return
	}
	r.ok("address", "Bookhook can be reached at %s", c.BaseURL)
}

// checkReceivers looks up the names of receivers, and checks that they may be
// called.
func (r *report) checkReceivers(ctx context.Context, c doctorCommand, urls []string) {
	hosts := hostsOf(urls)
	if len(hosts) == 0 {
		r.ok("DNS", "no webhook is on, so there is no name to look up")
		return
	}
	found := 0
	for _, host := range hosts[:min(len(hosts), mostHosts)] {
		if problem := lookUp(ctx, c, host); problem != "" {
			r.bad("DNS", "%s: %s", host, problem)
		} else {
			found++
		}
	}
	if found > 0 {
		r.ok("DNS", "%d of %d receivers have an address that may be called", found, min(len(hosts), mostHosts))
	}
}

func hostsOf(urls []string) (hosts []string) {
	for _, text := range urls {
		if request, err := guard.NewRequest(context.Background(), http.MethodGet, text, nil); err == nil { // the name as it is looked up
			hosts = append(hosts, request.URL.Hostname())
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// lookUp says what is wrong with the name of a receiver; "" if nothing is.
func lookUp(ctx context.Context, c doctorCommand, host string) string {
	ctx, cancel := context.WithTimeout(ctx, lookUpTimeout)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return "the name cannot be looked up: " + dns.Err
	}
	if err != nil {
		return err.Error()
	}
	for _, address := range addresses {
		if blocked := c.AllowPrivateTargets.Check(address.Unmap()); blocked != nil {
			return blocked.Error()
		}
	}
	return ""
}

// instance is what the checks need to know of the accounts.
type instance struct {
	urls  []string        // of webhooks that are on
	skews []time.Duration // between our clock and the dates of recent answers
}

func readInstance(ctx context.Context, store *db.Store) (in instance, err error) {
	accounts, err := store.Accounts(ctx)
	if err != nil {
		return in, err
	}
	for _, account := range accounts {
		all, err := store.Webhooks(ctx, account.ID)
		if err != nil {
			return in, err
		}
		for _, w := range all {
			if w.Enabled {
				in.urls = append(in.urls, w.URL)
			}
		}
		if len(in.skews) < mostAnswers {
			if err := in.readSkews(ctx, store, account.ID); err != nil {
				return in, err
			}
		}
	}
	return in, nil
}

// readSkews compares the Date headers of the newest answers with our clock at that
// time.
func (in *instance) readSkews(ctx context.Context, store *db.Store, account webhook.AccountID) error {
	page, err := store.Deliveries(ctx, account, webhook.DeliveryFilter{Limit: mostAnswers})
	if err != nil {
		return err
	}
	for _, row := range page.Rows {
		attempts, err := store.Attempts(ctx, account, row.ID, 0)
		if err != nil {
			return err
		}
		for _, a := range attempts {
			if date, err := http.ParseTime(a.ResponseHeaders.Get("Date")); err == nil {
				in.skews = append(in.skews, a.StartedAt.Add(a.Duration).Sub(date))
			}
		}
	}
	return nil
}
