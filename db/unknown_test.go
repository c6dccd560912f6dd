package db_test

import (
	"errors"
	"testing"

	"bookhook/db"
	"bookhook/db/postgres/pgtest"
	"bookhook/webhook"
)

// TestUnknownCommit: a write of which nobody knows whether it was stored is reported, with
// what it touched, although it is an error.
func TestUnknownCommit(t *testing.T) {
	proxy := pgtest.NewProxy(t, pgtest.Database(t, "template1"))
	s, err := db.Create(t.Context(), proxy.URL, nil)
	ok(t, err)
	defer s.Close()
	a, w := shop(t, s)
	var touched []webhook.Touched
	queued := 0
	s.Watch(func(all []webhook.Touched) { touched = append(touched, all...) })
	s.WatchOutbox(func() { queued++ })
	proxy.Cut.Store(true)
	w.Name = "New"
	refused, _ := errors.AsType[webhook.Unavailable](update(t, s, webhook.Update{Webhook: w}, at(t0)))
	same(t, "it may have been stored", refused.Unknown, true)
	same(t, "touched", touched, []webhook.Touched{{Account: a.ID, Webhook: w.ID, What: webhook.TouchWebhook}, {What: webhook.TouchUnknown}})
	same(t, "woke the outbox", queued, 1)
	must(s.Due(t.Context(), webhook.AllShards))(t)
	same(t, "name", must(s.Webhook(t.Context(), a.ID, w.ID))(t).Name, "New")
	proxy.Down.Store(true)
	touched = nil
	_, err = s.Due(t.Context(), webhook.AllShards)
	refused, unavailable := errors.AsType[webhook.Unavailable](err)
	same(t, "refused before the commit, and may have been stored", []bool{unavailable, refused.Unknown}, []bool{true, false})
	same(t, "touched by that", touched, nil)
}
