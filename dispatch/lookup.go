package dispatch

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"bookhook/platforms"
	"bookhook/webhook"
)

// lookUpAll takes events that wait for their platform to it until ctx ends.
// What is cut off then is asked again at the next start: an event waits in the
// table until it is matched, in one transaction.
func (d *Dispatcher) lookUpAll(ctx context.Context) {
	l := d.lookups
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
			l.more = true
		case o := <-l.ended:
			l.end(o, time.Now())
		case <-timer.C:
		}
		d.readLookups(ctx, time.Now())
		for t, ok := l.next(time.Now()); ok; t, ok = l.next(time.Now()) {
			d.work.Go(func() { l.ended <- d.lookUp(ctx, t) })
		}
		if at := l.again(time.Now()); at.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(at))
		}
	}
}

// readLookups reads on in the table while there is room for more.
func (d *Dispatcher) readLookups(ctx context.Context, now time.Time) {
	l := d.lookups
	if l.readAt.After(now) {
		return
	}
	for l.readAt = (time.Time{}); l.more && l.pending < maxPending; {
		rows, err := d.store.Lookups(ctx, l.read, lookupPage)
		if d.failed("read lookups", err) {
			l.readAt = now.Add(storePause)
			return
		}
		l.add(rows, now)
		l.more = len(rows) == lookupPage
	}
}

// lookUp asks a platform about a booking, if that is still to be done, and
// matches the events that wait for it.
func (d *Dispatcher) lookUp(ctx context.Context, t turn) (o outcome) {
	o.turn = t
	c, err := d.store.Connection(d.storing, t.key.account, t.key.platform)
	if errors.Is(err, webhook.ErrNotFound) {
		err = nil
	}
	if o.broken = d.failed("read a lookup", err); o.broken {
		return o
	}
	a := asking{Dispatcher: d, turn: t, connection: c, known: t.known}
	a.platform, _ = d.sender.platforms.Get(t.key.platform)
	ready, looked, err := a.lookUpAll(ctx)
	if o.broken = d.failed("read a lookup", err); o.broken {
		return o
	}
	o.failure = a.failure
	if len(ready) > 0 && a.asked {
		o.answer = a.known
	}
	if o.broken = d.match(t.key.account, ready) != nil; !o.broken {
		o.matched = looked
	}
	return o
}

// match stores the decisions on events in their order, and starts their
// deliveries.
func (d *Dispatcher) match(account webhook.ID, events []webhook.Event) error {
	if len(events) == 0 {
		return nil
	}
	_, err := d.reserve(func(now time.Time, take func(*webhook.Webhook) bool) ([]webhook.Accepted, error) {
		return d.store.LookedUp(d.storing, account, events, now, now.Add(d.lease), take)
	})
	d.failed("store a match", err)
	return err
}

// asking is a turn with what it takes to ask.
type asking struct {
	*Dispatcher
	turn
	platform   platforms.Platform
	connection webhook.Connection
	known      told   // the last answer
	asked      bool   // known is of this turn
	gaveUp     bool   // on an event before
	failure    string // why there was no answer
}

// lookUpAll makes events ready for their match, one after the other, until the
// platform has to be asked again or they are many bytes: the others have their
// own turn. It says how many wait no more: those that are ready, and those that
// are gone from the table.
func (a *asking) lookUpAll(ctx context.Context) (ready []webhook.Event, looked int, err error) {
	for size := 0; looked < len(a.events) && size < maxReady; looked++ {
		p := a.events[looked]
		e, err := a.store.Undecided(a.storing, a.key.account, p.id)
		if errors.Is(err, webhook.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		found, ok := a.lookUp(ctx, e, p)
		if !ok {
			break
		}
		ready = append(ready, found)
		size += len(found.Data) + len(found.Wire)
	}
	return ready, looked, nil
}

// lookUp makes an event ready for its match; it is not when the platform has to
// be asked, once more or later.
func (a *asking) lookUp(ctx context.Context, e webhook.Event, p pendingEvent) (found webhook.Event, ready bool) {
	var mistake error
	defer func() {
		if mistake != nil {
			a.failure, ready = mistake.Error(), false
		}
	}()
	defer a.sender.mishap(&mistake)
	if !p.ask || !a.connection.Enabled { // which is matched as platform_off
		return e, true
	}
	if reason := a.hopeless(p); reason != "" {
		a.gaveUp = true
		return a.without(e, reason), true
	}
	if a.platform.Lookup == nil || !a.platform.Lookup.Wanted(a.connection.Settings, e) {
		return a.without(e, "the settings that it takes are not there any more"), true
	}
	if !a.known.serves(e) {
		if a.asked || a.gaveUp {
			return e, false
		}
		wire, err := a.platform.Lookup.Request(a.connection.Settings, e, time.Now())
		if err != nil { // another try would be the same
			return a.without(e, unanswered(err).Error()), true
		}
		if !a.fetch(ctx, e, wire) {
			return e, false
		}
	}
	found, err := a.platform.Lookup.Read(e, a.known.status, a.known.body)
	if err != nil {
		a.failure = unanswered(err).Error()
		return e, false
	}
	e.TourIDs, e.Data, e.Note = found.TourIDs, found.Data, found.Note // what it is stays
	return e, true
}

// without notes on an event why it is matched as it came.
func (a *asking) without(e webhook.Event, reason string) webhook.Event {
	e.Note = cmp.Or(a.platform.Name, e.Platform) + " could not be asked for the tours of this booking: " + reason + ". It was matched as a booking without tours."
	return e
}

// fetch makes the request, and keeps its answer.
func (a *asking) fetch(ctx context.Context, e webhook.Event, wire webhook.Request) bool {
	limited, cancel := context.WithTimeout(ctx, min(askTime, a.sender.timeout))
	defer cancel()
	answer, err := a.sender.fetch(limited, wire)
	if ctx.Err() != nil { // nobody's fault
		return false
	}
	a.log.LogAttrs(ctx, slog.LevelInfo, "lookup", append(answer.attributes(err),
		slog.String("event", e.Ref()), slog.String("account", e.Account.Text(webhook.AccountPrefix)), slog.String("platform", e.Platform))...)
	if err != nil {
		a.failure = err.Error()
		return false
	}
	a.known, a.asked = answer, true
	return true
}
