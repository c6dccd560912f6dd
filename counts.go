package main

import (
	"context"
	"log/slog"
	"time"

	"bookhook/db"
)

// foldEvery is how often what was counted is added to the counts of the hours. Until
// then whoever reads those reads it as well.
const foldEvery = time.Second

// runCounts adds up what is counted, until ctx ends.
func runCounts(ctx context.Context, store *db.Store, log *slog.Logger) {
	for sleep(ctx, foldEvery) {
		more, err := true, error(nil)
		for more && err == nil && ctx.Err() == nil {
			more, err = store.FoldCounts(ctx)
		}
		if err != nil && ctx.Err() == nil {
			log.Error("statistics could not be added up, retrying", "error", err)
		}
	}
}
