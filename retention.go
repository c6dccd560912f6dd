package main

import (
	"context"
	"log/slog"
	"time"

	"bookhook/auth"
	"bookhook/db"
	"bookhook/webhook"
)

// chore runs work that one of all replicas has to do, whenever that is this one, until ctx
// ends. Two may overlap for a moment when that changes.
func (a *app) chore(ctx context.Context, work func(context.Context)) {
	a.background.Go(func() {
		for sleep(ctx, leadEvery) {
			if !a.dispatcher.Leads() {
				continue
			}
			leading, stop := context.WithCancel(ctx)
			done := make(chan struct{})
			go func() { work(leading); close(done) }()
			for a.dispatcher.Leads() && sleep(ctx, leadEvery) {
			}
			stop()
			<-done
		}
	})
}

// leadEvery is how often a replica looks whether it does what one of all has to do.
const leadEvery = 200 * time.Millisecond

// The pace of the retention: small batches with pauses, so that nobody waits for
// one.
const (
	pruneBatch = 100 // events
	prunePause = 50 * time.Millisecond
	pruneEvery = time.Hour
)

// runRetention deletes what is older than keep, at once and then every hour,
// until ctx ends.
func runRetention(ctx context.Context, store *db.Store, keep time.Duration, log *slog.Logger) {
	for {
		deleted, err := prune(ctx, store, keep)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.Error("old deliveries could not be deleted, retrying in an hour", "error", err)
		case deleted > 0:
			log.Info("deleted events and deliveries older than the retention", "rows", deleted)
		}
		if !sleep(ctx, pruneEvery) {
			return
		}
	}
}

// cleanEvery is how often what dead processes left behind is looked for.
const cleanEvery = time.Minute

// runCleanUp ends what dead processes left behind, and forgets old attempts to sign in,
// until ctx ends.
func runCleanUp(ctx context.Context, store *db.Store, log *slog.Logger) {
	for sleep(ctx, cleanEvery) {
		if err := store.CleanUp(ctx, false, time.Now()); err != nil && ctx.Err() == nil {
			log.Error("what dead processes left behind could not be ended, retrying", "error", err)
		}
		if err := store.ForgetTries(ctx, time.Now().Add(-auth.LimitWindow)); err != nil && ctx.Err() == nil {
			log.Error("old attempts to sign in could not be deleted, retrying", "error", err)
		}
	}
}

// prune deletes batch after batch until nothing old is left, and returns the
// number of rows.
func prune(ctx context.Context, store *db.Store, keep time.Duration) (deleted int64, err error) {
	var after webhook.EventID
	for {
		now := time.Now()
		n, last, err := store.Prune(ctx, now.Add(-keep), now, after, pruneBatch)
		if err != nil || n == 0 && last == after {
			return deleted, err
		}
		deleted, after = deleted+n, last
		if !sleep(ctx, prunePause) {
			return deleted, ctx.Err()
		}
	}
}

// sleep waits, and reports false if ctx ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
