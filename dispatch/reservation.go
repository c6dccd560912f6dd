package dispatch

import (
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
// Events that wait for a lookup get none.
func (s *lanes) reservePlan(p *webhook.Plan) *reservation {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &reservation{lanes: s}
	for i := range p.Events {
		e := &p.Events[i]
		for j, d := range e.Decisions {
			e.Claim[j] = !e.Event.Lookup && d.Reason == webhook.Matched && r.take(p.Subscriptions.Webhooks[j])
		}
	}
	return r
}

// take reserves a place for one delivery of the webhook, if there is room, the
// circuit is closed and nothing older waits in the table. What is older has its
// own places while a claim is under way; refusing then, too, would send every
// delivery of a busy webhook through the table.
func (r *reservation) take(w *webhook.Webhook) bool {
	s := r.lanes
	if !s.open || s.full() {
		return false
	}
	l := s.lane(w.ID)
	l.configure(w)
	defer s.update(l)
	if older := !l.claiming && !l.nextDue.IsZero() && !l.nextDue.After(s.clock()); older || l.breaker.Open() || l.room() < 1 {
		return false
	}
	s.reserve(l, 1)
	p := r.find(l.id)
	if p == nil {
		r.places = append(r.places, place{lane: l, version: l.version})
		p = &r.places[len(r.places)-1]
	}
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

// commit queues the jobs that came for the places, frees all places, and notes
// what waits in the table. It returns the jobs that cannot be kept, as
// [lanes.claimDone] does.
func (r *reservation) commit(accepted []webhook.Accepted) (stale []*webhook.Job) {
	s := r.lanes
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range accepted {
		for i := range a.Jobs {
			job := &a.Jobs[i]
			if p := r.find(job.Webhook.ID); p != nil && s.open && p.version == p.lane.version {
				s.enqueue(p.lane, job)
			} else {
				stale = append(stale, job)
			}
		}
		for _, id := range a.Waiting {
			l := s.lane(id)
			l.due(s.clock())
			s.update(l)
		}
	}
	for _, p := range r.places {
		s.reserve(p.lane, -p.n)
	}
	for _, p := range r.places {
		s.update(p.lane)
	}
	return stale
}
