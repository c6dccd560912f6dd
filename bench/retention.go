package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"bookhook/db"
	"bookhook/platforms/all"
	"bookhook/seal"
	"bookhook/webhook"
)

// How the retention is measured, and what it may cost.
const (
	retentionPairs = 4 // measurements with and without something to delete
	retentionPart  = 6 // of the time, for each
	retentionDays  = 1
	oldAge         = 48 * time.Hour // of what is to be deleted
	oldPerSecond   = 2500           // deliveries for each second of the measurements: more than are deleted
	oldFull        = 8              // times as many with a full table
	oldBatch       = 1000           // events that are deleted at a time afterwards
	mostRetention  = 10             // percent of the delivered
	aimedRetention = 5
	rowsOfDelivery = 3 // its event, itself and its attempt
)

// retention measures the highest rate with and without old rows to delete, in turn on
// one database.
func (r *runner) retention(ctx context.Context) (err error) {
	path := filepath.Join(r.temp, "retention.db")
	defer func() { err = errors.Join(err, removeDatabase(path)) }()
	part := r.Time / retentionPart
	p := phase{way: Stored, shape: oneWebhook(r.Connections), path: path, time: max(part, leastTime)}
	rows := int(oldPerSecond * (retentionPairs * (part + warmTime(part))).Seconds())
	if r.Full {
		p.shape, rows = r.many(), oldFull*rows
	}
	fmt.Fprintf(r.Progress, "filling the table with %d old deliveries\n", rows)
	if err := r.fillOld(ctx, p, rows); err != nil {
		return fmt.Errorf("fill the table with old deliveries: %w", err)
	}
	var with, without []*Measurement
	for i := range 2 * retentionPairs {
		into := &without
		p.name, p.keep = "nothing to delete", 0
		if i%4 == 1 || i%4 == 2 { // so that neither has the better part of the time
			into = &with
			p.name, p.keep = "retention beside load", retentionDays
		}
		m, err := r.measure(ctx, p)
		if err != nil {
			return err
		}
		*into = append(*into, m)
	}
	left, err := deleteOld(ctx, path, r.Key)
	if err != nil {
		return err
	}
	r.reportRetention(with, without, rows*rowsOfDelivery-left, left)
	return nil
}

// fillOld creates a database with so many deliveries that are older than the retention.
func (r *runner) fillOld(ctx context.Context, p phase, rows int) error {
	sample, err := createSample(ctx, p.path, r.Key, p.shape, func(int) string { return r.receiver.url })
	if err != nil {
		return err
	}
	store, err := db.Open(ctx, p.path, r.Key)
	if err != nil {
		return err
	}
	store.Backdate(oldAge)
	f := &filler{store: store, sample: sample, want: int64(rows), progress: r.Progress, registry: all.Platforms(), age: oldAge}
	return errors.Join(f.fill(ctx), store.Close())
}

// deleteOld deletes what the retention has left, and returns how many rows that were.
func deleteOld(ctx context.Context, path string, key *seal.Key) (left int, err error) {
	store, err := db.Open(ctx, path, key)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	now := time.Now()
	for after := webhook.EventID(0); ; {
		n, last, err := store.Prune(ctx, now.AddDate(0, 0, -retentionDays), now, after, oldBatch)
		if err != nil || n == 0 && last == after {
			return left, err
		}
		left, after = left+int(n), last
	}
}

// reportRetention compares the measurements; deleted and left are rows.
func (r *runner) reportRetention(with, without []*Measurement, deleted, left int) {
	beside, alone := mean(with, delivered), mean(without, delivered)
	seconds := 0.0
	for _, m := range with {
		seconds += m.served.Seconds()
	}
	t := r.report
	t.add("nothing to delete: delivered", "/s", alone)
	t.add("retention beside load: delivered", "/s", beside)
	cost := Line{What: "  less than with nothing to delete", Unit: "%", Limit: new(float64(mostRetention)), Aim: new(float64(aimedRetention)), AtMost: true}
	if beside != nil && alone != nil {
		cost.Measured = ratio(100*(*alone-*beside), *alone)
	}
	t.check(cost)
	t.add("  processor time of a delivery", "µs", mean(with, processor))
	t.add("  with nothing to delete", "µs", mean(without, processor))
	t.add("  rows deleted meanwhile", "/s", ratio(float64(deleted), seconds))
	t.check(Line{What: "  rows deleted", Measured: new(float64(deleted)), Limit: new(1.0)})
	t.check(Line{What: "  rows still to delete in the end", Measured: new(float64(left)), Limit: new(1.0)})
}

func delivered(m *Measurement) *float64 { return &m.DeliveredPerSecond }

func processor(m *Measurement) *float64 { return m.ServerCPU }

// mean returns the mean of a figure; nil if it is missing in one.
func mean(all []*Measurement, figure func(*Measurement) *float64) *float64 {
	sum := 0.0
	for _, m := range all {
		v := figure(m)
		if v == nil {
			return nil
		}
		sum += *v
	}
	return ratio(sum, float64(len(all)))
}
