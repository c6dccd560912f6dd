package dispatch

import (
	"slices"
	"sync"
	"time"

	"bookhook/webhook"
)

// Bounds of what is held in memory.
const (
	maxClaims  = 8         // under way at once
	claimBatch = 32        // jobs in one claim: they may have 1 MiB each
	maxBytes   = 128 << 20 // of payload; above it the table keeps the rest
)

// lanes schedules claims and requests of all webhooks. A lane that waits for a
// point in time (a due row, a probe, its rate) is among the timers. When its timer
// fires it is put into the queue of claims or into that of starts. Lanes are taken
// from these queues in turn, one request or claim each, while the global limits
// allow it. It does no I/O and never blocks; its methods may be called from any
// goroutine.
//
// A job counts as held from when a place is reserved for it until it is done.
type lanes struct {
	start       func(*lane, *webhook.Job) // runs a job in its own goroutine; the mutex is held
	clock       func() time.Time
	wake        chan struct{} // capacity 1; tells the loop to call turn
	maxInFlight int           // requests over all lanes

	mu         sync.Mutex
	open       bool // jobs are accepted and started
	byID       map[webhook.WebhookID]*lane
	timers     timers
	startQueue []*lane   // with a job that may start
	claimQueue []*lane   // with rows that may be claimed
	nextWake   time.Time // when the loop calls turn by itself; zero: never
	claims     int       // under way
	inFlight   int       // requests
	workers    int       // goroutines of jobs: in flight, or recording
	held       int       // jobs, reserved places included
	bytes      int       // payload of the jobs in memory
}

func newLanes(maxInFlight int, clock func() time.Time, start func(*lane, *webhook.Job)) *lanes {
	return &lanes{
		start: start, clock: clock, wake: make(chan struct{}, 1), maxInFlight: maxInFlight, byID: map[webhook.WebhookID]*lane{},
	}
}

// accept starts accepting jobs; due says when each webhook's next row is due.
func (s *lanes) accept(due map[webhook.WebhookID]time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = true
	for id, at := range due {
		l := s.lane(id)
		l.due(at)
		s.update(l)
	}
}

// whileOpen calls do if jobs are accepted, and reports whether they are; do must
// not block.
func (s *lanes) whileOpen(do func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open {
		do()
	}
	return s.open
}

// close stops starting jobs and returns those that were queued.
func (s *lanes) close() []*webhook.Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = false
	var queued []*webhook.Job
	for _, l := range s.byID {
		queued = append(queued, s.dequeueAll(l)...)
	}
	return queued
}

// due records that a row of the webhook is due at that time.
func (s *lanes) due(id webhook.WebhookID, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lane(id)
	l.due(at)
	s.update(l)
}

// invalidate makes everything that was read of the webhook stale, and returns its
// queued jobs, which are to be released.
func (s *lanes) invalidate(id webhook.WebhookID) []*webhook.Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lane(id)
	l.version++
	queued := s.dequeueAll(l)
	s.update(l)
	return queued
}

// mayRetryNow reports whether a recovery may make the waiting retries of a
// webhook due, and records that it does.
func (s *lanes) mayRetryNow(id webhook.WebhookID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, now := s.lane(id), s.clock()
	if now.Sub(l.lastRetryNow) < retryNowInterval {
		return false
	}
	l.lastRetryNow = now
	return true
}

// resetCircuit closes the circuit of a webhook.
func (s *lanes) resetCircuit(id webhook.WebhookID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lane(id)
	l.breaker = breaker{}
	s.update(l)
}

// requestDone frees the place in flight of a request whose result says nothing
// about the receiver's health.
func (s *lanes) requestDone(l *lane) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.inFlight--
	s.inFlight--
	s.update(l)
}

// attemptDone frees the place in flight of an attempt and updates the circuit.
// It returns the circuit before and after. If it opened, it also returns the
// queued jobs, which are to be released; jobs for places that were reserved before
// will be released, too.
func (s *lanes) attemptDone(l *lane, a attemptSignal) (before, after webhook.Circuit, queued []*webhook.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before = l.breaker.Circuit
	l.breaker.update(a, s.clock())
	after = l.breaker.Circuit
	if after.Open() && !before.Open() {
		l.version++
		queued = s.dequeueAll(l)
	}
	l.inFlight--
	s.inFlight--
	s.update(l)
	return before, after, queued
}

// addUnrecorded adds n to the attempts that the store has failed to record. The
// lane of the request may have been deleted by then, and replaced by another.
func (s *lanes) addUnrecorded(id webhook.WebhookID, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lane(id)
	l.unrecorded += n
	s.update(l)
}

// jobDone frees the memory and the worker of a job that was started.
func (s *lanes) jobDone(job *webhook.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.workers--
	s.unhold(job)
	s.startReady(s.clock())
	s.wakeIfLate()
}

// circuit returns the state of the webhook's circuit.
func (s *lanes) circuit(id webhook.WebhookID) webhook.Circuit {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.byID[id]; l != nil {
		return l.breaker.Circuit
	}
	return webhook.Circuit{}
}

// The functions below are called with the mutex held.

func (s *lanes) lane(id webhook.WebhookID) *lane {
	l := s.byID[id]
	if l == nil {
		l = newLane(id)
		s.byID[id] = l
	}
	return l
}

// update reschedules the lanes that changed, and starts what may start now.
func (s *lanes) update(changed ...*lane) {
	now := s.clock()
	for _, l := range changed {
		s.reschedule(l, now)
	}
	s.startReady(now)
	s.wakeIfLate()
}

// reschedule puts a lane into a queue or among the timers, or deletes it if it is
// idle.
func (s *lanes) reschedule(l *lane, now time.Time) {
	s.markReady(l, now)
	s.timers.set(l, l.nextTimer())
	if l.idle(now) {
		delete(s.byID, l.id)
	}
}

// markReady puts a lane into the queues where it has something to do now.
func (s *lanes) markReady(l *lane, now time.Time) {
	if !l.startQueued && l.canStart(now) {
		l.startQueued = true
		s.startQueue = append(s.startQueue, l)
	}
	if !l.claimQueued && l.canClaim(now) {
		l.claimQueued = true
		s.claimQueue = append(s.claimQueue, l)
	}
}

// startReady starts jobs, one of each lane in turn. There may be twice as many
// workers as requests: on a slow disk, results wait to be recorded.
func (s *lanes) startReady(now time.Time) {
	for s.open && len(s.startQueue) > 0 && s.inFlight < s.maxInFlight && s.workers < 2*s.maxInFlight {
		l := s.startQueue[0]
		s.startQueue = slices.Delete(s.startQueue, 0, 1)
		l.startQueued = false
		if l.canStart(now) {
			job := l.queue[0]
			l.queue = slices.Delete(l.queue, 0, 1)
			l.requestStarted(now)
			s.inFlight++
			s.workers++
			s.start(l, job)
		}
		s.reschedule(l, now)
	}
}

// full reports whether memory has no room for more jobs.
func (s *lanes) full() bool { return s.held >= 4*s.maxInFlight || s.bytes >= maxBytes }

// mayClaim reports whether another claim may begin.
func (s *lanes) mayClaim() bool { return s.claims < maxClaims && !s.full() }

// wakeIfLate wakes the loop if it would sleep too long.
func (s *lanes) wakeIfLate() {
	next := s.timers.next()
	if late := !next.IsZero() && (s.nextWake.IsZero() || next.Before(s.nextWake)); late || len(s.claimQueue) > 0 && s.mayClaim() {
		select {
		case s.wake <- struct{}{}:
		default: // it is awake already
		}
	}
}

// reserve reserves n places of the lane, or frees them if n is negative.
func (s *lanes) reserve(l *lane, n int) {
	l.reserved += n
	s.held += n
}

// enqueue adds a claimed job to its lane.
func (s *lanes) enqueue(l *lane, job *webhook.Job) {
	l.queue = append(l.queue, job)
	s.held++
	s.bytes += len(job.Event.Data)
}

// dequeueAll removes all queued jobs of the lane.
func (s *lanes) dequeueAll(l *lane) []*webhook.Job {
	queued := l.queue
	l.queue = nil
	for _, job := range queued {
		s.unhold(job)
	}
	return queued
}

func (s *lanes) unhold(job *webhook.Job) {
	s.held--
	s.bytes -= len(job.Event.Data)
}
