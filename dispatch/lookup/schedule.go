package lookup

import (
	"cmp"
	"slices"
	"time"

	"bookhook/webhook"
)

// Bounds of what is requested at once.
const (
	maxConcurrent = 16                // bookings that are looked up at once
	maxPerSource  = 4                 // of one source; one while it fails
	maxSlow       = maxConcurrent / 2 // of all sources that fail or are slow
	maxBatch      = 32                // events of a booking in one task
	maxWait       = 100 * time.Second // that an event waits for a source that fails
	slowAfter     = 2 * time.Second   // a task that takes longer makes its source slow
	storePause    = time.Second       // after the store failed
)

// failurePause is how long a source gets no request after a failure, whatever
// else waits: one that refuses at once would get thousands of requests a second.
const failurePause = 200 * time.Millisecond

// retryPauses are the pauses after the failures of a booking. After the last
// attempt its events are matched without a response. Pauses and requests together
// take less than maxWait, which bounds how long an event waits for others.
var retryPauses = [...]time.Duration{2 * time.Second, 10 * time.Second, 30 * time.Second}

// schedule decides which booking is looked up next. It has no clock, does no
// I/O, and is used by one goroutine.
type schedule struct {
	max     int // events that may wait
	pending int // events that wait
	running int // tasks
	slow    int // of them: those of slow sources

	bookings map[bookingKey]*booking
	sources  map[sourceKey]*source
	accounts map[webhook.AccountID]*account
	turns    []*source                        // all of them; the next one first
	retries  [len(retryPauses) + 1][]*booking // one list for each pause, so that each is sorted by time
	cache    responseCache
}

// newSchedule returns a schedule with room for this many events.
func newSchedule(most int) *schedule {
	return &schedule{max: most, bookings: map[bookingKey]*booking{}, sources: map[sourceKey]*source{}, accounts: map[webhook.AccountID]*account{}}
}

// add adds rows of the table, but those that it has.
func (s *schedule) add(rows []webhook.PendingLookup, now time.Time) {
	for _, row := range rows {
		key := bookingKey{sourceKey{row.Account, row.Platform}, row.Booking}
		b := s.bookings[key]
		if b == nil {
			b = &booking{key: key, source: s.source(key.sourceKey)}
			s.bookings[key] = b
			b.source.bookings++
		}
		if b.has(row.Event) {
			continue
		}
		b.events = append(b.events, pendingEvent{id: row.Event, lookup: row.Lookup, since: now})
		if len(b.events) == 1 {
			b.source.markReady(b)
		}
		s.pending++
		b.source.account.pending++
	}
}

// room is how many more events may wait.
func (s *schedule) room() int { return s.max - s.pending }

// mayAdd reports whether n more events of an account may wait.
func (s *schedule) mayAdd(id webhook.AccountID, n int) bool {
	has := n - 1
	if a := s.accounts[id]; a != nil {
		has += a.pending
	}
	return webhook.MayTake(has, s.room())
}

func (s *schedule) source(key sourceKey) *source {
	src := s.sources[key]
	if src == nil {
		a := s.accounts[key.account]
		if a == nil {
			a = &account{}
			s.accounts[key.account] = a
		}
		a.sources++
		src = &source{key: key, account: a}
		s.sources[key] = src
		s.turns = append(s.turns, src)
	}
	return src
}

// next starts the next task, if there is one and a place for it.
func (s *schedule) next(now time.Time) (task, bool) {
	s.wakeRetries(now)
	for _, src := range s.turns {
		if s.running == maxConcurrent {
			break
		}
		if len(src.ready) == 0 || !webhook.MayTake(src.account.running, maxConcurrent-s.running) {
			continue
		}
		b := src.ready[0]
		waitedTooLong := !src.lastError.IsZero() && now.Sub(b.events[0].since) > maxWait
		if !waitedTooLong && (src.running >= src.limit() || src.paused(now) || src.isSlow() && !webhook.MayTake(src.account.slow, maxSlow-s.slow)) {
			continue
		}
		s.endTurn(src)
		return s.start(b, waitedTooLong, now), true
	}
	return task{}, false
}

// endTurn puts a source, and the others of its account, behind those of all others.
func (s *schedule) endTurn(src *source) {
	var own []*source
	s.turns = slices.DeleteFunc(s.turns, func(other *source) bool {
		if other.account == src.account && other != src {
			own = append(own, other)
		}
		return other.account == src.account
	})
	s.turns = append(append(s.turns, own...), src)
}

// wakeRetries makes bookings ready whose pause is over.
func (s *schedule) wakeRetries(now time.Time) {
	for i := range s.retries {
		for len(s.retries[i]) > 0 && !s.retries[i][0].retryAt.After(now) {
			b := s.retries[i][0]
			s.retries[i] = slices.Delete(s.retries[i], 0, 1)
			b.source.markReady(b)
		}
	}
}

func (s *schedule) start(b *booking, waitedTooLong bool, now time.Time) task {
	src := b.source
	src.ready = slices.Delete(src.ready, 0, 1)
	src.running++
	src.account.running++
	s.running++
	t := task{schedule: s, booking: b, key: b.key, waiting: len(b.events), cached: s.cache.get(b.key), lastError: b.lastError, startedAt: now}
	t.events = slices.Clone(b.events[:min(len(b.events), maxBatch)])
	if waitedTooLong {
		t.giveUp = src.lastError
	} else if t.slow = src.isSlow(); t.slow {
		src.account.slow++
		s.slow++
	}
	return t
}

// finish records the result of a task.
func (s *schedule) finish(r result, now time.Time) {
	b, src := r.booking, r.booking.source
	src.running--
	src.account.running--
	s.running--
	if r.slow {
		src.account.slow--
		s.slow--
	}
	if !r.response.requestedAt.IsZero() {
		src.lastError, src.slow = webhook.Message{}, now.Sub(r.startedAt) > slowAfter
		s.cache.put(b.key, r.response)
		for i := range b.events[:r.waiting] {
			b.events[i].failures = 0
		}
	}
	if !r.failure.IsZero() {
		src.lastError, b.lastError, src.pausedUntil = r.failure, r.failure, now.Add(failurePause)
		for i := range b.events[:r.waiting] {
			b.events[i].failures++
		}
	}
	b.events = slices.Delete(b.events, 0, r.done)
	s.pending -= r.done
	src.account.pending -= r.done
	s.requeue(b, r, now)
}

// requeue makes a booking ready or schedules its retry after a task, or removes it
// if none of its events waits any longer.
func (s *schedule) requeue(b *booking, r result, now time.Time) {
	if len(b.events) == 0 {
		s.remove(b)
		return
	}
	failures := b.events[0].failures
	switch {
	case r.storeFailed:
		s.retryAt(b, len(retryPauses), now.Add(storePause))
	case r.giveUp.IsZero() && failures > 0 && failures <= len(retryPauses):
		s.retryAt(b, failures-1, now.Add(retryPauses[failures-1]))
	default:
		b.source.markReady(b)
	}
}

func (s *schedule) retryAt(b *booking, list int, at time.Time) {
	b.retryAt = at
	s.retries[list] = append(s.retries[list], b)
}

func (s *schedule) remove(b *booking) {
	delete(s.bookings, b.key)
	if b.source.bookings--; b.source.bookings == 0 {
		delete(s.sources, b.source.key)
		if b.source.account.sources--; b.source.account.sources == 0 {
			delete(s.accounts, b.source.key.account)
		}
		s.turns = slices.DeleteFunc(s.turns, func(src *source) bool { return src == b.source })
	}
}

// nextWake returns when there is something to do without a wake-up; zero:
// never.
func (s *schedule) nextWake(now time.Time) time.Time {
	next := s.cache.expire(now)
	for _, src := range s.turns {
		if len(src.ready) > 0 && src.paused(now) {
			next = earlier(next, src.pausedUntil)
		}
	}
	for _, list := range s.retries {
		if len(list) > 0 {
			next = earlier(next, list[0].retryAt)
		}
	}
	return next
}

// earlier returns the earlier of two times; a zero one counts as never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// account is what an account has of the places.
type account struct {
	sources int // with events that wait
	pending int // events that wait
	running int // tasks
	slow    int // of them: those of slow sources
}

// source is an account on a platform.
type source struct {
	key         sourceKey
	account     *account
	bookings    int             // with events that wait
	running     int             // tasks
	ready       []*booking      // may be looked up; the one with the oldest event first
	lastError   webhook.Message // why the last request failed; zero if it did not
	pausedUntil time.Time       // while it fails
	slow        bool            // the last task with a response took long
}

type sourceKey struct {
	account  webhook.AccountID
	platform string
}

func (s *source) paused(now time.Time) bool { return !s.lastError.IsZero() && s.pausedUntil.After(now) }

// isSlow reports whether a task is likely to take long.
func (s *source) isSlow() bool { return !s.lastError.IsZero() || s.slow }

// limit is how many bookings may be looked up at once.
func (s *source) limit() int {
	if !s.lastError.IsZero() {
		return 1
	}
	return maxPerSource
}

func (s *source) markReady(b *booking) {
	at, _ := slices.BinarySearchFunc(s.ready, b.events[0].id, func(b *booking, id webhook.EventID) int { return cmp.Compare(b.events[0].id, id) })
	s.ready = slices.Insert(s.ready, at, b)
}
