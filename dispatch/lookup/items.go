package lookup

import (
	"context"
	"log/slog"
	"time"

	"bookhook/platforms"
	"bookhook/webhook"
)

// Bounds of a list.
const (
	itemsTimeout = 15 * time.Second // in all: a person waits for it
	maxItems     = 50_000           // they are stored in one transaction
)

// Items requests the channels or tours that an account has on a platform, in
// the platform's order; one may occur more than once. It returns
// webhook.ErrNotFound for a platform without lists, and a [platforms.Unanswered]
// that says why if the platform did not return them.
func (c *Client) Items(ctx context.Context, platform string, settings webhook.Settings, kind webhook.ItemKind) (items []webhook.Item, err error) {
	p, ok := c.Platforms.Get(platform)
	if !ok || p.Lists == nil {
		return nil, webhook.ErrNotFound
	}
	ctx, cancel := context.WithTimeout(ctx, itemsTimeout)
	defer cancel()
	defer c.recoverPanic(&err)
	requests, err := p.Lists.Requests(settings, kind, time.Now())
	if err != nil {
		return nil, platformError(err)
	}
	for _, wire := range requests {
		found, err := c.itemsOf(ctx, p, wire, kind)
		if err != nil {
			return nil, err
		}
		if len(items)+len(found) > maxItems {
			return nil, unanswered("lookup.too_many", maxItems)
		}
		items = append(items, found...)
	}
	return items, nil
}

// itemsOf makes one of the requests for a list.
func (c *Client) itemsOf(ctx context.Context, p platforms.Platform, wire platforms.Request, kind webhook.ItemKind) ([]webhook.Item, error) {
	r, err := c.fetch(ctx, wire, "")
	c.Log.LogAttrs(ctx, slog.LevelInfo, "list", append(r.attributes(err), slog.String("platform", p.Key), slog.String("of", string(kind)))...)
	if err != nil {
		return nil, err
	}
	items, err := p.Lists.Read(kind, r.status, r.body)
	if err != nil {
		return nil, platformError(err)
	}
	return items, nil
}
