package lookup

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"bookhook/platforms"
	"bookhook/webhook"
)

const (
	maxTimeout    = 10 * time.Second // of a request about a booking
	maxBatchBytes = 4 << 20          // of the events that are matched at once, unless the last one has more
)

// process requests what is needed about a booking and matches the events that
// wait for it.
func (q *Queue) process(ctx, storing context.Context, t task) (r result) {
	r.task = t
	connection, err := q.Store.Connection(storing, t.key.account, t.key.platform)
	if errors.Is(err, webhook.ErrNotFound) {
		err = nil
	}
	if r.storeFailed = q.StoreFailed("read a connection", err); r.storeFailed {
		return r
	}
	b := batch{Queue: q, task: t, connection: connection, response: t.cached}
	b.platform, _ = q.Client.Platforms.Get(t.key.platform)
	ready, done, err := b.prepare(ctx, storing)
	if r.storeFailed = q.StoreFailed("read an event", err); r.storeFailed {
		return r
	}
	r.failure = b.failure
	if len(ready) > 0 && b.fetched {
		r.response = b.response
	}
	if len(ready) > 0 && q.Match(t.key.account, ready) != nil {
		r.storeFailed = true
		return r
	}
	r.done = done
	return r
}

// batch is a task with what its requests need.
type batch struct {
	*Queue
	task
	platform   platforms.Platform
	connection webhook.Connection
	response   response        // the last one
	fetched    bool            // it was requested by this task
	gaveUp     bool            // on an earlier event
	failure    webhook.Message // why a request failed
}

// prepare completes events for their match, one after the other, until another
// request is needed or they have too many bytes; the rest is left to another task.
// done counts the events that no longer wait: those that are ready, and those that
// are gone from the table.
func (b *batch) prepare(ctx, storing context.Context) (ready []webhook.Event, done int, err error) {
	for size := 0; done < len(b.events) && size < maxBatchBytes; done++ {
		p := b.events[done]
		e, err := b.Store.PendingEvent(storing, b.key.account, p.id)
		if errors.Is(err, webhook.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		completed, ok := b.complete(ctx, e, p)
		if !ok {
			break
		}
		ready = append(ready, completed)
		size += len(completed.Data) + len(completed.Wire)
	}
	return ready, done, nil
}

// complete adds what the platform says about the booking to an event. It returns
// false if another request is needed first.
func (b *batch) complete(ctx context.Context, e webhook.Event, p pendingEvent) (completed webhook.Event, ok bool) {
	var panicked error // an Unanswered
	defer func() {
		if panicked != nil {
			b.failure, ok = whyOf(panicked), false
		}
	}()
	defer b.Client.recoverPanic(&panicked)
	if !p.lookup || !b.connection.Enabled { // the latter is matched as platform_off
		return e, true
	}
	if reason := b.giveUpReason(p); !reason.IsZero() {
		b.gaveUp = true
		return b.withoutTours(e, reason), true
	}
	if b.platform.Lookup == nil || !b.platform.Lookup.Wanted(b.connection.Settings, e) {
		return b.withoutTours(e, webhook.NewMessage("lookup.no_settings")), true
	}
	if !b.response.covers(e) {
		if b.fetched || b.gaveUp {
			return e, false
		}
		wire, err := b.platform.Lookup.Request(b.connection.Settings, e, time.Now())
		if err != nil { // another attempt would fail as well
			return b.withoutTours(e, platformError(err).Why), true
		}
		if !b.fetch(ctx, e, wire) {
			return e, false
		}
	}
	found, err := b.platform.Lookup.Read(e, b.response.status, b.response.body)
	if err != nil {
		b.failure = platformError(err).Why
		return e, false
	}
	e.TourIDs, e.Data, e.Note = found.TourIDs, found.Data, found.Note // its identity stays
	return e, true
}

// withoutTours adds a note to an event that says why it is matched without tours.
func (b *batch) withoutTours(e webhook.Event, why webhook.Message) webhook.Event {
	e.Note = webhook.NewMessage("lookup.failed", cmp.Or(b.platform.Name, e.Platform)).Because(why)
	return e
}

// fetch makes the request and keeps the response.
func (b *batch) fetch(ctx context.Context, e webhook.Event, wire platforms.Request) bool {
	limited, cancel := context.WithTimeout(ctx, min(maxTimeout, b.Timeout))
	defer cancel()
	r, err := b.Client.fetch(limited, wire, b.Client.Instance.Extend(e.Via, e.Account))
	if ctx.Err() != nil { // cut off by a stop
		return false
	}
	b.Log.LogAttrs(ctx, slog.LevelInfo, "lookup", append(r.attributes(err),
		slog.String("event", e.ID.String()), slog.String("account", e.Account.String()), slog.String("platform", e.Platform))...)
	if err != nil {
		b.failure = whyOf(err)
		return false
	}
	b.response, b.fetched = r, true
	return true
}
