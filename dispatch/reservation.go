package dispatch

import (
	"slices"

	"bookhook/webhook"
)

// reservation holds the places that a plan takes before it is stored. It is
// guarded by the mutex of its lanes.
type reservation struct {
	lanes  *lanes
	places []place
}

// place is the reserved places of one webhook.
type place struct {
	lane    *lane
	version int
	n       int
}

// reservePlan reserves places for the matches of a plan, and sets their Claim.
// Events that wait for a lookup get none, and neither do those of an account that another
// replica serves. Call end for the account after commit.
func (s *lanes) reservePlan(p *webhook.Plan) *reservation {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &reservation{lanes: s}
	s.shards.begin(p.Subscriptions.Account.ID, 1)
	if !s.open || !s.shards.isOpen(p.Subscriptions.Account.ID) {
		return r
	}
	r.places = make([]place, len(p.Subscriptions.Webhooks))
	for i := range p.Events {
		e := &p.Events[i]
		for j, d := range e.Decisions {
			if d.Reason == webhook.Matched && !e.Event.Lookup {
				e.Claim[j] = r.take(j, p.Subscriptions.Account.ID, p.Subscriptions.Webhooks[j])
			}
		}
	}
	r.places = slices.DeleteFunc(r.places, func(p place) bool { return p.lane == nil })
	r.ready()
	return r
}

// reserveNew reserves places for deliveries that another replica has stored and announced,
// and returns those that have one. Call end for their accounts after commit.
func (s *lanes) reserveNew(announced []webhook.Touched) (r *reservation, placed []webhook.Touched) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r = &reservation{lanes: s}
	for _, t := range announced {
		if t.Delivery == 0 || !s.open || !s.shards.isOpen(t.Account) {
			continue
		}
		p := r.find(t.Webhook)
		if p == nil {
			l := s.lane(t.Account, t.Webhook)
			r.places = append(r.places, place{lane: l, version: l.version})
			p = &r.places[len(r.places)-1]
		}
		if r.takeIn(p) {
			s.shards.begin(t.Account, 1)
			placed = append(placed, t)
		}
	}
	r.ready()
	return r, placed
}

// ready lets others start what they may, and forgets lanes of which no place was taken.
func (r *reservation) ready() {
	r.update()
	r.places = slices.DeleteFunc(r.places, func(p place) bool { return p.n == 0 }) // their lanes may be gone
}

// take reserves a place for one delivery of the i-th webhook.
func (r *reservation) take(i int, account webhook.AccountID, w *webhook.Webhook) bool {
	p := &r.places[i]
	if p.lane == nil {
		p.lane = r.lanes.lane(account, w.ID)
		p.version = p.lane.version
		p.lane.configure(w)
	}
	return r.takeIn(p)
}

// takeIn reserves one more place for a webhook, if there is room, the circuit is closed
// and nothing older waits in the table: refusing while a claim is running, too, would send
// every delivery of a busy webhook through the table.
func (r *reservation) takeIn(p *place) bool {
	s, l := r.lanes, p.lane
	if l.hasOlder(s.clock()) || l.breaker.Open() || l.room() < 1 || !s.hasMemory(l.account) {
		return false
	}
	s.reserve(l, 1)
	p.n++
	return true
}

// find returns the place of a webhook; an account has a handful of them.
func (r *reservation) find(id webhook.WebhookID) *place {
	for i := range r.places {
		if r.places[i].lane.id == id {
			return &r.places[i]
		}
	}
	return nil
}

// commit queues the jobs that were stored for the places, frees all places, and
// schedules what waits in the table. It returns the jobs that must be released, as
// [lanes.claimDone] does.
func (r *reservation) commit(accepted []webhook.Accepted) (stale []*webhook.Job) {
	s := r.lanes
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range accepted {
		for i := range a.Jobs {
			job := &a.Jobs[i]
			if p := r.find(job.Webhook.ID); p != nil && s.open && p.version == p.lane.version {
				p.lane.configure(job.Webhook)
				s.enqueue(p.lane, job)
			} else {
				stale = append(stale, job)
			}
		}
		for _, id := range a.Waiting {
			if !s.shards.isKnown(a.Event.Account) {
				break
			}
			l := s.lane(a.Event.Account, id)
			l.due(webhook.Due{At: s.clock()})
			s.reschedule(l, s.clock())
		}
	}
	for _, p := range r.places {
		s.reserve(p.lane, -p.n)
	}
	r.update()
	for _, p := range r.places {
		p.lane.giveTurns() // not all places may have been used
	}
	return s.releasing(stale)
}

// update reschedules all lanes of the reservation before any job starts, so that
// their jobs start in turn.
func (r *reservation) update() {
	changed := make([]*lane, len(r.places))
	for i, p := range r.places {
		changed[i] = p.lane
	}
	r.lanes.update(changed...)
}
