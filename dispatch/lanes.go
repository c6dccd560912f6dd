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
	claimBatch = 500       // jobs in one claim; the store bounds their bytes
	maxBytes   = 128 << 20 // of payload; above it the table keeps the rest
)

// lanes schedules claims and requests of all webhooks. A lane that waits for a
// point in time (a due row, a probe, its rate) is among the timers. When its timer
// fires it is put into the line of claims or into that of starts. Lanes are taken
// from these lines in turn, one request or claim each, while the limits and the share
// of their account (account.go) allow it. It does no I/O and never blocks; its
// methods may be called from any goroutine.
//
// A job counts as held from when a place is reserved for it until it is done.
type lanes struct {
	start       func(*lane, *webhook.Job) // runs a job in a goroutine; the mutex is held
	clock       func() time.Time
	wake        chan struct{} // capacity 1; tells the loop to call turn
	maxInFlight int           // requests over all lanes

	drained chan struct{} // capacity 1; a shard can be given back

	mu       sync.Mutex
	open     bool // jobs are accepted and started
	shards   shards
	byID     map[webhook.WebhookID]*lane
	accounts map[webhook.AccountID]*account
	timers   timers
	starting line      // lanes with a job that may start
	claiming line      // lanes with rows that may be claimed
	nextWake time.Time // when the loop calls turn by itself; zero: never
	inFlight int       // requests
	total    account   // what all accounts have
}

func newLanes(maxInFlight int, clock func() time.Time, start func(*lane, *webhook.Job)) *lanes {
	return &lanes{
		start: start, clock: clock, wake: make(chan struct{}, 1), drained: make(chan struct{}, 1), maxInFlight: maxInFlight,
		byID: map[webhook.WebhookID]*lane{}, accounts: map[webhook.AccountID]*account{},
		starting: line{queue: func(a *account) *[]*lane { return &a.startQueue }},
		claiming: line{queue: func(a *account) *[]*lane { return &a.claimQueue }},
	}
}

// accept starts accepting jobs.
func (s *lanes) accept() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = true
	s.startReady(s.clock())
}

// reread adds what is due to what is known, which of a circuit is newer.
func (s *lanes) reread(due map[webhook.WebhookID]webhook.Due) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addDue(due)
}

// addDue is reread with the mutex held.
func (s *lanes) addDue(due map[webhook.WebhookID]webhook.Due) {
	for id, d := range due {
		if s.shards.isKnown(d.Account) {
			l := s.lane(d.Account, id)
			l.breaker.follow(d.Circuit.Resets)
			l.due(d)
			s.update(l)
		}
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
	return s.drain(webhook.AllShards)
}

// due records that a row of the account's webhook is due at that time.
func (s *lanes) due(account webhook.AccountID, id webhook.WebhookID, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shards.isKnown(account) {
		l := s.lane(account, id)
		l.due(webhook.Due{At: at})
		s.update(l)
	}
}

// urgent records that an urgent row of the account's webhook is due.
func (s *lanes) urgent(account webhook.AccountID, id webhook.WebhookID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shards.isKnown(account) {
		l := s.lane(account, id)
		l.due(webhook.Due{Urgent: s.clock()})
		s.update(l)
	}
}

// invalidate makes everything that was read of the webhook stale, and returns its
// queued jobs, which are to be released.
func (s *lanes) invalidate(account webhook.AccountID, id webhook.WebhookID) []*webhook.Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.shards.isKnown(account) {
		return nil
	}
	l := s.lane(account, id)
	l.version++
	queued := s.dequeueAll(l)
	s.update(l)
	l.giveTurns()
	return s.releasing(queued)
}

// mayRetryNow reports whether a recovery may make the waiting retries of a
// webhook due, and records that it does. It always may if a person asked for the attempt.
func (s *lanes) mayRetryNow(account webhook.AccountID, id webhook.WebhookID, asked bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.shards.isKnown(account) {
		return false
	}
	l, now := s.lane(account, id), s.clock()
	if !asked && now.Sub(l.lastRetryNow) < retryNowInterval {
		return false
	}
	l.lastRetryNow = now
	return true
}

// resetCircuit closes the circuit of a webhook.
func (s *lanes) resetCircuit(account webhook.AccountID, id webhook.WebhookID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shards.isKnown(account) {
		l := s.lane(account, id)
		l.breaker.close()
		s.update(l)
	}
}

// requestDone frees the place in flight of a request whose result says nothing
// about the receiver's health.
func (s *lanes) requestDone(l *lane) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.freePlace(l)
}

// freePlace ends a request of the lane.
func (s *lanes) freePlace(l *lane) {
	l.inFlight--
	s.inFlight--
	s.update(l)
	l.giveTurns()
}

// version returns which state of the webhook the jobs of a lane were read in.
func (s *lanes) version(l *lane) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return l.version
}

// requestRepeated counts a request that follows another one in the same place in
// flight; the rate goes on from it. It reports false if the webhook has changed
// since version, and then counts none.
func (s *lanes) requestRepeated(l *lane, version int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.version != version {
		return false
	}
	l.lastStart = s.clock()
	return true
}

// attemptDone frees the place in flight of an attempt and updates the circuit.
// It returns the circuit before and after. If it opened, it also returns the
// queued jobs, which are to be released; jobs for places that were reserved before
// will be released, too.
func (s *lanes) attemptDone(l *lane, a attemptSignal) (before, after breaker, queued []*webhook.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before = l.breaker
	now := s.clock()
	l.breaker.update(a, now)
	l.pace.update(a, now, l.inFlight+len(l.queue) > 1)
	after = l.breaker
	if after.Open() && !before.Open() {
		l.version++
		queued = s.dequeueOthers(l)
	}
	s.freePlace(l)
	return before, after, s.releasing(queued)
}

// addUnrecorded adds n to the attempts that the store has failed to record. The
// lane of the request may have been deleted by then, and replaced by another.
func (s *lanes) addUnrecorded(account webhook.AccountID, id webhook.WebhookID, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lane(account, id)
	l.unrecorded += n
	s.update(l)
}

// jobDone frees the memory and the worker of a job that the lane started.
func (s *lanes) jobDone(l *lane, job *webhook.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addWorkers(l.account, -1)
	s.unhold(l.account, job)
	if job.Urgent || job.Bulk {
		l.countSpecial(job, -1)
		s.reschedule(l, s.clock())
	}
	s.forget(l.account)
	s.endShared(l.account.id)
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

func (s *lanes) lane(account webhook.AccountID, id webhook.WebhookID) *lane {
	l := s.byID[id]
	if l == nil {
		l = newLane(id, s.account(account))
		l.lastStart = s.shards.of(account).since // the requests of whoever served the account before count, too
		s.byID[id] = l
		l.account.lanes++
	}
	return l
}

func (s *lanes) account(id webhook.AccountID) *account {
	a := s.accounts[id]
	if a == nil {
		a = &account{id: id}
		s.accounts[id] = a
	}
	return a
}

// forget deletes an account that is idle.
func (s *lanes) forget(a *account) {
	if a.idle() {
		delete(s.accounts, a.id)
	}
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
	if l.idle(now) && s.byID[l.id] == l {
		delete(s.byID, l.id)
		l.account.lanes--
		s.forget(l.account)
	}
}

// markReady puts a lane into the lines where it has something to do now.
func (s *lanes) markReady(l *lane, now time.Time) {
	if !l.startQueued && l.canStart(now) {
		l.startQueued = true
		s.starting.add(l)
	}
	if !l.claimQueued && l.canClaim(now) {
		l.claimQueued = true
		s.claiming.add(l)
	}
}

// startReady starts jobs, one of each account and lane in turn.
func (s *lanes) startReady(now time.Time) {
	for s.open && s.shards.leased(now) {
		l := s.starting.next(s.mayStart)
		if l == nil {
			return
		}
		l.startQueued = false
		if l.canStart(now) {
			job := l.next(now)
			s.inFlight++
			s.addWorkers(l.account, 1)
			s.shards.begin(l.account.id, 1)
			s.start(l, job)
		}
		s.reschedule(l, now)
	}
}

// mayStart reports whether the account may have another request. There may be twice
// as many workers as requests: on a slow disk, results wait to be recorded.
func (s *lanes) mayStart(a *account) bool {
	return webhook.MayTake(a.workers, min(s.maxInFlight-s.inFlight, 2*s.maxInFlight-s.total.workers))
}

// hasMemory reports whether the account may have more jobs in memory.
func (s *lanes) hasMemory(a *account) bool {
	return webhook.MayTake(a.held, 4*s.maxInFlight-s.total.held) && webhook.MayTake(a.bytes, maxBytes-s.total.bytes)
}

// share is how many more jobs the account may take at once, at least one, so that it
// then has no more than are free.
func (s *lanes) share(a *account) int { return max(1, (4*s.maxInFlight-s.total.held-a.held)/2) }

// mayClaim reports whether the account may begin another claim.
func (s *lanes) mayClaim(a *account) bool {
	return s.shards.isOpen(a.id) && webhook.MayTake(a.claims, maxClaims-s.total.claims) && s.hasMemory(a)
}

// wakeIfLate wakes the loop if it would sleep too long.
func (s *lanes) wakeIfLate() {
	next := s.timers.next()
	late := !next.IsZero() && (s.nextWake.IsZero() || next.Before(s.nextWake))
	if late || slices.ContainsFunc(s.claiming.accounts, s.mayClaim) {
		select {
		case s.wake <- struct{}{}:
		default: // it is awake already
		}
	}
}

func (s *lanes) addWorkers(a *account, n int) {
	a.workers += n
	s.total.workers += n
}

func (s *lanes) addClaims(a *account, n int) {
	a.claims += n
	s.total.claims += n
}

// hold counts jobs in memory and their payload.
func (s *lanes) hold(a *account, jobs, bytes int) {
	a.held += jobs
	a.bytes += bytes
	s.total.held += jobs
	s.total.bytes += bytes
}

// reserve reserves n places of the lane, or frees them if n is negative.
func (s *lanes) reserve(l *lane, n int) {
	l.reserved += n
	s.hold(l.account, n, 0)
}

// enqueue adds a claimed job to its lane.
func (s *lanes) enqueue(l *lane, job *webhook.Job) {
	switch {
	case job.Urgent:
		l.urgent = append(l.urgent, job)
	case job.Bulk:
		l.bulk = append(l.bulk, job)
	default:
		l.queue = append(l.queue, job)
	}
	s.hold(l.account, 1, len(job.Event.Data))
}

// dequeueAll removes all queued jobs of the lane.
func (s *lanes) dequeueAll(l *lane) []*webhook.Job {
	urgent := l.urgent
	l.urgent = nil
	for _, job := range urgent {
		s.unhold(l.account, job)
	}
	return append(urgent, s.dequeueOthers(l)...)
}

// dequeueOthers removes all queued jobs of the lane that are not urgent.
func (s *lanes) dequeueOthers(l *lane) []*webhook.Job {
	queued := slices.Concat(l.queue, l.bulk)
	l.queue, l.bulk = nil, nil
	for _, job := range queued {
		s.unhold(l.account, job)
	}
	return queued
}

func (s *lanes) unhold(a *account, job *webhook.Job) { s.hold(a, -1, -len(job.Event.Data)) }
