package pages

import (
	"context"

	"bookhook/webhook"
)

// ReplayStore is what the pages need of the bulk replays.
type ReplayStore interface {
	BulkReplay(ctx context.Context, account webhook.AccountID, id webhook.ReplayID) (webhook.Replay, error)
}
