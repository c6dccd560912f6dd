package main

import (
	"context"
	"log/slog"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

// The pace of forgetting: small steps, so that nobody waits for one.
const (
	pruneBatch = 100 // events
	prunePause = 50 * time.Millisecond
	pruneEvery = time.Hour
)

// forget deletes what is older than keep, at once and then every hour, until
// ctx ends.
func forget(ctx context.Context, store *db.Store, keep time.Duration, log *slog.Logger) {
	for {
		forgotten, err := prune(ctx, store, keep)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.Error("old deliveries could not be deleted, trying again in an hour", "error", err)
		case forgotten > 0:
			log.Info("deleted what is older than the retention", "rows", forgotten)
		}
		if !pause(ctx, pruneEvery) {
			return
		}
	}
}

// prune deletes batch after batch until nothing old is left.
func prune(ctx context.Context, store *db.Store, keep time.Duration) (forgotten int64, err error) {
	var after webhook.ID
	for {
		now := time.Now()
		n, last, err := store.Prune(ctx, now.Add(-keep), now, after, pruneBatch)
		if err != nil || n == 0 && last == after {
			return forgotten, err
		}
		forgotten, after = forgotten+n, last
		if !pause(ctx, prunePause) {
			return forgotten, ctx.Err()
		}
	}
}

// pause waits, and reports false when ctx ended before.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
