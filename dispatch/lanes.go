package dispatch

import (
	"slices"
	"sync"
	"time"

	"bookhook/webhook"
)

// Bounds of what is held in memory.
const (
	maxClaims  = 8         // claims under way at once
	claimBatch = 32        // jobs in one claim: they may have 1 MiB each
	maxBytes   = 128 << 20 // of payload; above it the table keeps the rest
)

// lanes is the dispatcher's memory: for each webhook what is in flight, queued
// and due, and what is promised. It does no I/O and never waits for anything;
// all its methods may be called from any goroutine.
//
// A job is "held" from the moment a place is promised to it until it is done.
// Jobs start in the order in which their lanes became ready, one of each lane
// in turn, so that when the global cap is reached all get their share.
type lanes struct {
	start func(*lane, *webhook.Job) // runs a job in its own goroutine; the mutex is held
	wake  chan struct{}             // capacity 1; tells the loop to look again
	max   int                       // requests in flight over all lanes

	mu      sync.Mutex
	open    bool
	byID    map[webhook.ID]*lane
	due     timetable // claimable lanes, by the time of the claim
	paced   timetable // those with a job that waits for its time, by that
	ready   []*lane   // startable, waiting for their turn
	armed   time.Time // when the loop looks again by itself; zero: never
	starved bool      // a claim waits for memory
	claims  int       // claims under way
	flying  int       // requests in flight
	working int       // goroutines of jobs: in flight, or recording what came of it
	held    int       // jobs, promised ones included
	bytes   int       // payload of the jobs in memory
}

func newLanes(limit int, start func(*lane, *webhook.Job)) *lanes {
	return &lanes{
		start: start, wake: make(chan struct{}, 1), max: limit, byID: map[webhook.ID]*lane{},
		due:   timetable{at: (*lane).claimAt, place: func(l *lane) *int { return &l.dueAt }},
		paced: timetable{at: (*lane).from, place: func(l *lane) *int { return &l.pacedAt }},
	}
}

func (s *lanes) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default: // it is awake already
	}
}

// admit begins the taking of jobs, with what the table has.
func (s *lanes) admit(due map[webhook.ID]time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = true
	for id, at := range due {
		l := s.lane(id)
		l.due(at)
		s.place(l)
	}
}

// whileOpen runs do unless the dispatcher does not take jobs, and says whether it
// did; do must not wait for anything.
func (s *lanes) whileOpen(do func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open {
		do()
	}
	return s.open
}

// shut ends the starting of jobs and returns those that were queued.
func (s *lanes) shut() []*webhook.Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = false
	var queued []*webhook.Job
	for _, l := range s.byID {
		queued = append(queued, s.empty(l)...)
	}
	return queued
}

// mark notes that a row of the webhook is due at that time.
func (s *lanes) mark(id webhook.ID, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lane(id)
	l.due(at)
	s.place(l)
}

// reread makes everything that was read of the webhook stale, and returns its
// queued jobs, to be given back.
func (s *lanes) reread(id webhook.ID) []*webhook.Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lane(id)
	l.version++
	queued := s.empty(l)
	s.place(l)
	return queued
}

// mayHasten says whether a recovery may bring the waiting retries of a webhook
// forward, and notes that it does.
func (s *lanes) mayHasten(id webhook.ID, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lane(id)
	if now.Sub(l.hastened) < hastenGap {
		return false
	}
	l.hastened = now
	return true
}

// trust closes the circuit of a webhook.
func (s *lanes) trust(id webhook.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lane(id)
	l.breaker = breaker{}
	s.place(l)
}

// landed frees the place of a request in flight.
func (s *lanes) landed(l *lane) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.land(l)
}

// answered is landed for a request that says something about the receiver. It
// returns the lane's circuit as it was before and is now. When that opened, the
// queued jobs are returned too, to be given back; so will be those that are
// still to come for places promised before.
func (s *lanes) answered(l *lane, v verdict, now time.Time) (before, after webhook.Circuit, queued []*webhook.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before = l.breaker.Circuit
	l.breaker.judge(v, now)
	after = l.breaker.Circuit
	if after.Open() && !before.Open() {
		l.version++
		queued = s.empty(l)
	}
	s.land(l)
	return before, after, queued
}

// unsaved counts the answers that the store has failed to record. The lane from
// which the request went out may be forgotten by then, and another one stand in
// its place.
func (s *lanes) unsaved(id webhook.ID, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lane(id)
	l.unsaved += n
	s.place(l)
}

// done lets go of a job that was started.
func (s *lanes) done(job *webhook.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.working--
	s.forget(job)
	s.pump()
}

// circuit tells how the webhook's receiver is treated.
func (s *lanes) circuit(id webhook.ID) webhook.Circuit {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.byID[id]; l != nil {
		return l.breaker.Circuit
	}
	return webhook.Circuit{}
}

// All below are called with the mutex held.

func (s *lanes) lane(id webhook.ID) *lane {
	l := s.byID[id]
	if l == nil {
		l = newLane(id)
		s.byID[id] = l
	}
	return l
}

func (s *lanes) land(l *lane) {
	l.flying--
	s.flying--
	s.enlist(l, time.Now())
	s.place(l)
	s.pump()
}

// place puts the lane where it belongs after a change: among those that wait
// for their time, or nowhere at all.
func (s *lanes) place(l *lane) {
	s.due.put(l, l.claimable())
	s.paced.put(l, l.waits() && !l.ready)
	if l.dueAt == 0 && s.early(l.claimAt()) || l.pacedAt == 0 && s.early(l.from()) {
		s.wakeUp()
	}
	if l.idle() {
		delete(s.byID, l.id)
	}
}

// early says that the loop would look again only after at.
func (s *lanes) early(at time.Time) bool { return s.armed.IsZero() || at.Before(s.armed) }

// full says that the table has to keep what comes.
func (s *lanes) full() bool { return s.held >= 4*s.max || s.bytes >= maxBytes }

// promise keeps n places of the lane, or gives them back when n is negative.
func (s *lanes) promise(l *lane, n int) {
	l.reserved += n
	s.held += n
	s.fed()
}

// enqueue adds a claimed job to its lane.
func (s *lanes) enqueue(l *lane, job *webhook.Job) {
	l.queue = append(l.queue, job)
	s.held++
	s.bytes += len(job.Event.Data)
	s.enlist(l, time.Now())
}

// empty takes all queued jobs off the lane.
func (s *lanes) empty(l *lane) []*webhook.Job {
	queued := l.queue
	l.queue = nil
	for _, job := range queued {
		s.forget(job)
	}
	return queued
}

func (s *lanes) forget(job *webhook.Job) {
	s.held--
	s.bytes -= len(job.Event.Data)
	s.fed()
}

// fed wakes the loop when it waits for memory and there is some.
func (s *lanes) fed() {
	if s.starved && !s.full() {
		s.starved = false
		s.wakeUp()
	}
}

func (s *lanes) enlist(l *lane, now time.Time) {
	if !l.ready && l.startable(now) {
		l.ready = true
		s.ready = append(s.ready, l)
	}
}

// pump starts what may start. As many goroutines again as may be in flight may
// be recording: behind a slow disk, requests wait for the recording.
func (s *lanes) pump() {
	for s.open && len(s.ready) > 0 && s.flying < s.max && s.working < 2*s.max {
		l := s.ready[0]
		s.ready = slices.Delete(s.ready, 0, 1)
		l.ready = false
		if now := time.Now(); l.startable(now) {
			job := l.queue[0]
			l.queue = slices.Delete(l.queue, 0, 1)
			l.started(now)
			s.flying++
			s.working++
			s.start(l, job)
			s.enlist(l, now)
		}
		s.place(l)
	}
}
