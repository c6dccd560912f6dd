package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bookhook/webhook"
)

// Pauses of what keeps the lease.
const (
	renewPause  = webhook.LeaseTime / 4 // between two renewals
	renewRetry  = time.Second           // after one that failed
	rereadPause = 5 * time.Second       // between two reads of what is due, should an announcement not have arrived
)

// ShardStore is what the dispatcher needs of the database to be one of several replicas.
type ShardStore interface {
	// Lease renews the lease of this replica, gives shards back and takes free ones.
	Lease(ctx context.Context, r webhook.LeaseRequest) (webhook.Lease, error)

	// Listen reports what other replicas change to Touched until ctx ends.
	Listen(ctx context.Context)

	// ClaimNew claims deliveries that another replica has announced as new; those that
	// cannot be claimed any more are not among the jobs. With an error, the jobs are those
	// that may be claimed all the same.
	ClaimNew(ctx context.Context, announced []webhook.Touched, lease time.Time) ([]webhook.Job, error)

	// CleanUp ends what dead processes left behind that is of no shard; alone says that
	// there is no other process.
	CleanUp(ctx context.Context, alone bool, now time.Time) error
}

// Leads reports whether this replica does the work that one of all has to do: it holds the
// first shard, and its lease is good.
func (d *Dispatcher) Leads() bool { return d.Held().Has(0) }

// Held returns the shards whose deliveries this replica sends at the moment.
func (d *Dispatcher) Held() webhook.ShardSet {
	d.lanes.mu.Lock()
	defer d.lanes.mu.Unlock()
	if !d.lanes.shards.leased(d.clock()) {
		return 0
	}
	return d.lanes.shards.in(open)
}

// join takes the first lease and opens what it holds. It reports whether there may be
// other replicas.
func (d *Dispatcher) join(ctx context.Context) (shared bool, err error) {
	lease, err := d.shards.Lease(ctx, webhook.LeaseRequest{Name: d.name, Version: d.version})
	if err != nil {
		return false, fmt.Errorf("take a lease: %w", err)
	}
	_, acquired := d.lanes.granted(lease)
	due, err := d.recoverClaims(ctx, acquired, lease)
	if errors.Is(err, webhook.ErrNotHeld) { // lost already
		d.renewSoon()
		return true, nil
	}
	if err != nil {
		return false, err
	}
	d.lanes.opened(acquired, lease, due)
	return !lease.Until.IsZero(), nil
}

// recoverClaims recovers the claims of whoever held the shards before, and reads what is
// due.
func (d *Dispatcher) recoverClaims(ctx context.Context, shards webhook.ShardSet, lease webhook.Lease) (map[webhook.WebhookID]webhook.Due, error) {
	if shards == 0 {
		return nil, nil
	}
	if shards.Has(0) {
		alone := lease.Until.IsZero() || lease.Share == webhook.Shards // others are dead, or there can be none
		if err := d.shards.CleanUp(ctx, alone, d.clock()); err != nil {
			return nil, fmt.Errorf("clean up: %w", err)
		}
	}
	if err := d.store.RecoverClaims(ctx, shards, d.clock()); err != nil {
		return nil, fmt.Errorf("recover claims: %w", err)
	}
	due, err := d.store.Due(ctx, shards)
	if err != nil {
		return nil, fmt.Errorf("read what is due: %w", err)
	}
	return due, nil
}

// renewSoon makes keepLease renew at once.
func (d *Dispatcher) renewSoon() {
	select {
	case d.renewal <- struct{}{}:
	default: // it will
	}
}

// keepLease renews the lease until left is closed, and then gives back what is left. While
// ctx has ended it takes nothing more.
func (d *Dispatcher) keepLease(ctx context.Context, left <-chan struct{}) {
	timer := time.NewTimer(renewPause)
	defer timer.Stop()
	for reread := time.Now().Add(rereadPause); ; {
		select {
		case <-left:
			d.leave()
			return
		case <-timer.C:
		case <-d.renewal:
		case <-d.lanes.drained:
		}
		written, ok := d.renew(ctx)
		if !ok {
			timer.Reset(renewRetry)
			continue
		}
		timer.Reset(renewPause)
		if d.written = d.written || written; d.written && time.Now().After(reread) {
			d.written, reread = false, time.Now().Add(rereadPause)
			d.wakeReread()
		}
	}
}

// renew renews the lease, gives back what is drained, and begins to serve or to hand over
// what the new lease says. It reports whether others may have written since the last one,
// and whether there is a lease.
func (d *Dispatcher) renew(ctx context.Context) (written, ok bool) {
	lease, err := d.shards.Lease(d.recording, webhook.LeaseRequest{Name: d.name, Version: d.version, Leaving: ctx.Err() != nil, GiveBack: d.lanes.toGiveBack()})
	if d.storeFailed("renew the lease", err) {
		return false, false
	}
	lost, acquired := d.lanes.granted(lease)
	if lost != 0 {
		d.log.Warn("accounts were taken over by another replica, since this one was not heard of in time", "shards", lost.Len())
		d.lookups.Restart()
	}
	if acquired != 0 {
		d.goWhileOpen(func() { d.open(ctx, acquired, lease) })
	}
	if queued, shards := d.lanes.handOver(lease.Share); shards != 0 {
		d.log.Info("handing accounts over to another replica", "shards", shards.Len())
		d.lookups.Restart()
		d.goWhileOpen(func() { d.releaseJobs(d.recording, queued) })
	}
	return lease.Written, true
}

// goWhileOpen runs work for which stop waits, unless it waits already.
func (d *Dispatcher) goWhileOpen(work func()) {
	if d.lanes.whileOpen(func() { d.work.Add(1) }) {
		go func() {
			defer d.work.Done()
			work()
		}()
	}
}

// open begins to serve shards as soon as their claims are recovered.
func (d *Dispatcher) open(ctx context.Context, shards webhook.ShardSet, lease webhook.Lease) {
	for {
		due, err := d.recoverClaims(ctx, shards, lease)
		if !d.storeFailed("take over accounts", err) {
			d.log.Info("serving accounts", "shards", shards.Len())
			d.lanes.opened(shards, lease, due)
			d.lookups.Restart()
			return
		}
		select {
		case <-time.After(storePause):
		case <-ctx.Done():
			return
		}
		if shards = d.lanes.stillOpening(shards, lease); shards == 0 {
			return
		}
	}
}

// leave gives everything back. If that fails, others take it when the lease ends.
func (d *Dispatcher) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), closingTime)
	defer cancel()
	_, err := d.shards.Lease(ctx, webhook.LeaseRequest{Name: d.name, Version: d.version, Leaving: true, GiveBack: webhook.AllShards})
	d.storeFailed("give the lease back", err)
}
