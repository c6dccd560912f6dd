package dispatch

import (
	"cmp"
	"slices"
	"time"

	"bookhook/webhook"
)

// Bounds of what is asked of platforms.
const (
	maxAsking   = 16                // bookings that are asked about at once,
	maxOfSource = 4                 // of one account on one platform; one while it does not answer,
	maxPoor     = maxAsking / 2     // of all that do not answer, or slowly, so that others always have places
	maxBatch    = 32                // events of a booking that are matched at once,
	maxReady    = 4 << 20           // bytes of them, unless the last one has more
	maxPending  = 100_000           // events that wait, in memory; the table keeps the rest
	maxPatience = 100 * time.Second // that an event waits for its turn with a platform that does not answer
	lookupPage  = 1000              // rows of the table that are read at once
)

// slowTurn is how long a turn with a platform takes at most that answers in good
// time.
const slowTurn = 2 * time.Second

// silentPause is how long a platform is left alone that did not answer an account,
// whatever else waits: one that refuses at once would be asked thousands of times
// a second.
const silentPause = 200 * time.Millisecond

// askAgain are the pauses after a question that was not answered, one after the
// other. Then the event is matched without an answer. With the questions they
// take less than maxPatience, which is for what waits behind others.
var askAgain = [...]time.Duration{2 * time.Second, 10 * time.Second, 30 * time.Second}

// lookups is what the dispatcher knows about events that wait for what their
// platform says about the booking. Only the goroutine of lookUpAll touches it,
// but for wake and ended.
//
// All that waits of a booking waits together: one question answers it, and it is
// matched in the order in which it was accepted. Accounts take turns, and each
// has few questions under way, so that a slow platform delays nobody else.
type lookups struct {
	wake  chan struct{} // capacity 1; tells that there is more in the table
	ended chan outcome  // has room for all that is under way

	read    webhook.ID // the table is known up to this event
	more    bool       // there may be more behind it
	readAt  time.Time  // when to read on after the store failed
	pending int        // events that wait
	asking  int        // bookings under way,
	poor    int        // those of them that may take long

	bookings map[bookingKey]*booking
	turns    []*source // those with something that waits; the next one first
	sources  map[sourceKey]*source
	later    [len(askAgain) + 1][]*booking // that wait for their next try; one list for each pause, so that the first is due first
	answers  answers
}

type sourceKey struct {
	account  webhook.ID
	platform string
}

type bookingKey struct {
	sourceKey
	booking string
}

// source is an account on a platform.
type source struct {
	key      sourceKey
	bookings int        // with events that wait
	asking   int        // of them under way
	ready    []*booking // may be asked about, the one that waits longest first
	silent   string     // why the last question was not answered; "" when it was
	from     time.Time  // when it may be asked again, while it is silent
	slow     bool       // the last turn with an answer took long
}

// rests says whether the platform is left alone.
func (s *source) rests(now time.Time) bool { return s.silent != "" && s.from.After(now) }

// poor says whether a question is likely to take long.
func (s *source) poor() bool { return s.silent != "" || s.slow }

// most is how many bookings may be asked about at once.
func (s *source) most() int {
	if s.silent != "" {
		return 1
	}
	return maxOfSource
}

// booking has events that wait, those accepted first in front. It is under way,
// among the ready ones of its source, or among the later ones.
type booking struct {
	key    bookingKey
	source *source
	events []pendingEvent
	at     time.Time // of the next try
	failed string    // why the last question was not answered
}

type pendingEvent struct {
	id    webhook.ID
	ask   bool      // false: it only waits for those before it
	since time.Time // when this process learned of it
	tries int       // questions that were not answered
}

// turn is a booking that is taken to its platform.
type turn struct {
	booking *booking // belongs to the lookups
	key     bookingKey
	events  []pendingEvent // a copy of the first ones
	waiting int            // how many there were in all
	known   told           // the last answer, if any
	failed  string         // why the last question was not answered, if one was not
	silent  string         // why the platform is not asked for any of them; "" when it may be
	began   time.Time
	poor    bool // it is likely to take long
}

// hopeless says why an event is matched without another question; "" when it is
// not.
func (t turn) hopeless(e pendingEvent) string {
	switch {
	case t.silent != "":
		return t.silent
	case e.tries > len(askAgain):
		return t.failed
	}
	return ""
}

// outcome is what came of a turn.
type outcome struct {
	turn
	matched int    // so many of its events wait no more
	answer  told   // a new one
	failure string // why a question was not answered; "" when it was
	broken  bool   // the store failed
}

func newLookups() *lookups {
	return &lookups{
		wake: make(chan struct{}, 1), ended: make(chan outcome, maxAsking), more: true,
		bookings: map[bookingKey]*booking{}, sources: map[sourceKey]*source{},
	}
}

func (l *lookups) wakeUp() {
	select {
	case l.wake <- struct{}{}:
	default: // it is awake already
	}
}

// add takes in the next rows of the table.
func (l *lookups) add(rows []webhook.PendingLookup, now time.Time) {
	for _, row := range rows {
		key := bookingKey{sourceKey{row.Account, row.Platform}, row.Booking}
		b := l.bookings[key]
		if b == nil {
			b = &booking{key: key, source: l.source(key.sourceKey)}
			l.bookings[key] = b
			b.source.bookings++
		}
		b.events = append(b.events, pendingEvent{id: row.Event, ask: row.Ask, since: now})
		if len(b.events) == 1 {
			b.source.enlist(b)
		}
		l.read = row.Event
		l.pending++
	}
}

func (l *lookups) source(key sourceKey) *source {
	s := l.sources[key]
	if s == nil {
		s = &source{key: key}
		l.sources[key] = s
		l.turns = append(l.turns, s)
	}
	return s
}

func (s *source) enlist(b *booking) {
	at, _ := slices.BinarySearchFunc(s.ready, b.events[0].id, func(b *booking, id webhook.ID) int { return cmp.Compare(b.events[0].id, id) })
	s.ready = slices.Insert(s.ready, at, b)
}

// next begins the next turn, if there is something to do and a place for it.
func (l *lookups) next(now time.Time) (turn, bool) {
	for i := range l.later {
		for len(l.later[i]) > 0 && !l.later[i][0].at.After(now) {
			b := l.later[i][0]
			l.later[i] = slices.Delete(l.later[i], 0, 1)
			b.source.enlist(b)
		}
	}
	for i, s := range l.turns {
		if l.asking == maxAsking {
			break
		}
		if len(s.ready) == 0 {
			continue
		}
		b := s.ready[0]
		tired := s.silent != "" && now.Sub(b.events[0].since) > maxPatience
		if !tired && (s.asking >= s.most() || s.rests(now) || s.poor() && l.poor == maxPoor) {
			continue
		}
		l.turns = append(slices.Delete(l.turns, i, i+1), s)
		return l.begin(b, tired, now), true
	}
	return turn{}, false
}

func (l *lookups) begin(b *booking, tired bool, now time.Time) turn {
	s := b.source
	s.ready = slices.Delete(s.ready, 0, 1)
	s.asking++
	l.asking++
	t := turn{booking: b, key: b.key, waiting: len(b.events), known: l.answers.get(b.key), failed: b.failed, began: now}
	t.events = slices.Clone(b.events[:min(len(b.events), maxBatch)])
	if tired {
		t.silent = s.silent
	} else if t.poor = s.poor(); t.poor {
		l.poor++
	}
	return t
}

// end takes in what came of a turn.
func (l *lookups) end(o outcome, now time.Time) {
	b, s := o.booking, o.booking.source
	s.asking--
	l.asking--
	if o.poor {
		l.poor--
	}
	if !o.answer.asked.IsZero() {
		s.silent, s.slow = "", now.Sub(o.began) > slowTurn
		l.answers.put(b.key, o.answer)
		for i := range b.events[:o.waiting] {
			b.events[i].tries = 0
		}
	}
	if o.failure != "" {
		s.silent, b.failed, s.from = o.failure, o.failure, now.Add(silentPause)
		for i := range b.events[:o.waiting] {
			b.events[i].tries++
		}
	}
	b.events = slices.Delete(b.events, 0, o.matched)
	l.pending -= o.matched
	l.goOn(b, o, now)
}

// goOn puts a booking where it belongs after a turn.
func (l *lookups) goOn(b *booking, o outcome, now time.Time) {
	if len(b.events) == 0 {
		l.forget(b)
		return
	}
	tries := b.events[0].tries
	switch {
	case o.broken:
		l.postpone(b, len(askAgain), now.Add(storePause))
	case o.silent == "" && tries > 0 && tries <= len(askAgain):
		l.postpone(b, tries-1, now.Add(askAgain[tries-1]))
	default:
		b.source.enlist(b)
	}
}

func (l *lookups) postpone(b *booking, list int, at time.Time) {
	b.at = at
	l.later[list] = append(l.later[list], b)
}

func (l *lookups) forget(b *booking) {
	delete(l.bookings, b.key)
	if b.source.bookings--; b.source.bookings == 0 {
		delete(l.sources, b.source.key)
		l.turns = slices.DeleteFunc(l.turns, func(s *source) bool { return s == b.source })
	}
}

// again is when there is something to do without being woken; zero: never.
func (l *lookups) again(now time.Time) (at time.Time) {
	at = l.answers.expire(now)
	sooner := func(other time.Time) {
		if !other.IsZero() && (at.IsZero() || other.Before(at)) {
			at = other
		}
	}
	sooner(l.readAt)
	for _, s := range l.turns {
		if len(s.ready) > 0 && s.rests(now) {
			sooner(s.from)
		}
	}
	for _, list := range l.later {
		if len(list) > 0 {
			sooner(list[0].at)
		}
	}
	return at
}
