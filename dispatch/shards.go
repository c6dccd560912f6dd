package dispatch

import (
	"time"

	"bookhook/webhook"
)

// leaseMargin is how long before the end of its lease a replica stops to start requests.
const leaseMargin = time.Second

// phase is what a shard is for this replica.
type phase int

const (
	away     phase = iota // another one holds it, or none
	opening               // held; its claims are being recovered, and what is due is being read
	open                  // held; its deliveries are claimed and sent
	draining              // held; nothing is claimed or started, and what is under way ends
)

// shard is one part of the accounts.
type shard struct {
	phase phase
	epoch int64     // with which it is held
	since time.Time // when it was taken over; zero if it is held for ever
	busy  int       // what is under way: claims, inserts, jobs, releases
}

// shards is which part of the accounts this replica serves. It does no I/O and has no
// clock; its fields are guarded by the mutex of [lanes], and tests step through it.
//
//	away ──granted──▶ opening ──opened──▶ open ──drain──▶ draining ──(given back)──▶ away
//
// From each state a shard is away at once if the lease does not name it any more, or
// opening if it was taken again meanwhile.
type shards struct {
	all   [webhook.Shards]shard
	until time.Time // when the lease ends; zero: never
}

func (s *shards) of(a webhook.AccountID) *shard { return &s.all[webhook.ShardOf(a)] }

// isOpen reports whether deliveries of the account are claimed and sent here.
func (s *shards) isOpen(a webhook.AccountID) bool { return s.of(a).phase == open }

// isKnown reports whether it is recorded here what is due of the account.
func (s *shards) isKnown(a webhook.AccountID) bool {
	p := s.of(a).phase
	return p == open || p == opening
}

// leased reports whether the lease is good. Both clocks have to say so: the monotonic one
// stands still while a machine is suspended, and the other one can be set.
func (s *shards) leased(now time.Time) bool {
	if s.until.IsZero() {
		return true
	}
	end := s.until.Add(-leaseMargin)
	return now.Before(end) && now.Round(0).Before(end.Round(0))
}

// in returns the shards that are in a phase.
func (s *shards) in(p phase) (set webhook.ShardSet) {
	for i := range s.all {
		if s.all[i].phase == p {
			set |= 1 << i
		}
	}
	return set
}

// granted records a lease. It returns the shards that were lost, which are away or were
// taken anew, and those that are to be opened.
func (s *shards) granted(l webhook.Lease, now time.Time) (lost, acquired webhook.ShardSet) {
	s.until = l.Until
	for i := range s.all {
		sh, epoch := &s.all[i], l.Epochs[i]
		if epoch == sh.epoch {
			continue
		}
		if sh.phase == opening || sh.phase == open {
			lost |= 1 << i
		}
		sh.phase, sh.epoch, sh.since = away, epoch, time.Time{}
		if epoch > 0 {
			sh.phase = opening
			acquired |= 1 << i
			if !l.Until.IsZero() {
				sh.since = now
			}
		}
	}
	return lost, acquired
}

// opened begins to serve those shards that are still held as in the lease for which what
// is due was read, and returns them.
func (s *shards) opened(set webhook.ShardSet, l webhook.Lease) (opened webhook.ShardSet) {
	for i := range set.Each() {
		if sh := &s.all[i]; sh.phase == opening && sh.epoch == l.Epochs[i] {
			sh.phase = open
			opened |= 1 << i
		}
	}
	return opened
}

// surplus chooses shards to hand over so that share are left: those with the least under
// way, and the first shard last, since its holder does the work that one of all does.
func (s *shards) surplus(share int) (set webhook.ShardSet) {
	has := 0
	for i := range s.all {
		if p := s.all[i].phase; p == open || p == opening {
			has++
		}
	}
	for ; has > share; has-- {
		least := -1
		for i := len(s.all) - 1; i >= 0; i-- {
			if s.all[i].phase == open && !set.Has(i) && (least < 0 || s.all[i].busy < s.all[least].busy) {
				least = i
			}
		}
		if least < 0 {
			break
		}
		set |= 1 << least
	}
	return set
}

// drain stops serving shards, so that they can be given back once nothing of them is under
// way.
func (s *shards) drain(set webhook.ShardSet) {
	for i := range set.Each() {
		if s.all[i].phase != away {
			s.all[i].phase = draining
		}
	}
}

// drained returns what can be given back.
func (s *shards) drained() (set webhook.ShardSet) {
	for i := range s.in(draining).Each() {
		if s.all[i].busy == 0 {
			set |= 1 << i
		}
	}
	return set
}

// begin counts n things of an account that are under way until end is called for each.
func (s *shards) begin(a webhook.AccountID, n int) { s.of(a).busy += n }

// end reports whether the shard of the account can be given back now.
func (s *shards) end(a webhook.AccountID) bool {
	sh := s.of(a)
	sh.busy--
	return sh.phase == draining && sh.busy == 0
}

// granted records a lease, and forgets what is known of accounts that were lost: their
// queued jobs are no longer claimed. It returns what was lost and what is to be opened.
func (s *lanes) granted(l webhook.Lease) (lost, acquired webhook.ShardSet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lost, acquired = s.shards.granted(l, s.clock())
	s.detach(lost)
	s.update() // the lease is good again
	return lost, acquired
}

// opened begins to serve shards; due says when each webhook's next row is due, and how its
// circuit is.
func (s *lanes) opened(set webhook.ShardSet, l webhook.Lease, due map[webhook.WebhookID]webhook.Due) {
	s.mu.Lock()
	defer s.mu.Unlock()
	opened := s.shards.opened(set, l)
	for id, d := range due {
		if opened.HasAccount(d.Account) {
			s.lane(d.Account, id).breaker.Circuit = d.Circuit
		}
	}
	s.addDue(due)
	s.update()
}

// stillOpening returns those of the shards that are still to be opened for the lease.
func (s *lanes) stillOpening(set webhook.ShardSet, l webhook.Lease) (left webhook.ShardSet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range (set & s.shards.in(opening)).Each() {
		if s.shards.all[i].epoch == l.Epochs[i] {
			left |= 1 << i
		}
	}
	return left
}

// handOver stops serving as many shards as are beyond the share. It returns them, and
// their queued jobs, which are to be released.
func (s *lanes) handOver(share int) (queued []*webhook.Job, set webhook.ShardSet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	set = s.shards.surplus(share)
	return s.drain(set), set
}

// toGiveBack returns the shards of which nothing is under way any more.
func (s *lanes) toGiveBack() webhook.ShardSet {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shards.drained()
}

// held returns the shards that this replica holds and does not hand over, and whether it
// is the only one for ever.
func (s *lanes) held() (set webhook.ShardSet, alone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shards.in(open) | s.shards.in(opening), s.shards.until.IsZero()
}

// leased reports whether requests may start.
func (s *lanes) leased() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shards.leased(s.clock())
}

// end ends what was under way for an account.
func (s *lanes) end(a webhook.AccountID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endShared(a)
}

// The functions below are called with the mutex held.

func (s *lanes) endShared(a webhook.AccountID) {
	if s.shards.end(a) {
		s.signalDrained()
	}
}

func (s *lanes) signalDrained() {
	select {
	case s.drained <- struct{}{}:
	default: // it will be looked for
	}
}

// toRelease is releasing without the mutex held.
func (s *lanes) toRelease(jobs []*webhook.Job) []*webhook.Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.releasing(jobs)
}

// releasing counts jobs that are to be released, until end is called for each.
func (s *lanes) releasing(jobs []*webhook.Job) []*webhook.Job {
	for _, job := range jobs {
		s.shards.begin(job.Account.ID, 1)
	}
	return jobs
}

// drain stops serving shards, and returns their queued jobs, which are to be released.
func (s *lanes) drain(set webhook.ShardSet) []*webhook.Job {
	s.shards.drain(set)
	queued := s.releasing(s.detach(set))
	if s.shards.drained() != 0 {
		s.signalDrained()
	}
	return queued
}

// detach forgets everything about the webhooks of shards but what is in flight, and
// returns their queued jobs.
func (s *lanes) detach(set webhook.ShardSet) (queued []*webhook.Job) {
	if set == 0 {
		return nil
	}
	for _, l := range s.byID {
		if set.HasAccount(l.account.id) {
			queued = append(queued, s.dequeueAll(l)...)
			l.forget()
			s.starting.remove(l)
			s.claiming.remove(l)
			s.reschedule(l, s.clock())
		}
	}
	return queued
}
