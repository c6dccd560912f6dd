package db

import (
	"context"

	"bookhook/webhook"
)

// Neighbours finds the deliveries that are listed before and after one under a
// filter, whose page and limit are ignored; zero where there is none, or none as far
// as one request searches.
func (s *Store) Neighbours(ctx context.Context, account webhook.AccountID, f webhook.DeliveryFilter, id webhook.DeliveryID) (newer, older webhook.DeliveryID, err error) {
	f.Before, f.After = 0, id
	if newer, err = s.nearest(ctx, account, f); err != nil {
		return 0, 0, err
	}
	f.Before, f.After = id, 0
	older, err = s.nearest(ctx, account, f)
	return newer, older, err
}

// nearest returns the delivery of the filter that is nearest to its After or Before.
func (s *Store) nearest(ctx context.Context, account webhook.AccountID, f webhook.DeliveryFilter) (id webhook.DeliveryID, err error) {
	l, err := s.deliveryListing(ctx, account, f)
	if err != nil {
		return 0, err
	}
	l.ascending = f.After != 0
	if l.ascending && l.stopped { // what was not read may be nearer
		return 0, nil
	}
	if _, err := l.shorten(ctx, s.engine); err != nil {
		return 0, err
	}
	l.columns = "id"
	err = queryRow(ctx, s.engine, l.pageQuery(), l.arguments(1)...).scanOptional(&id)
	return id, err
}
