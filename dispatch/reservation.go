package dispatch

import (
	"time"

	"bookhook/webhook"
)

// reservation is the places that one ingest took before its transaction was
// committed. Guarded by the mutex of its lanes.
type reservation struct {
	lanes  *lanes
	closed bool
	places []place
}

type place struct {
	lane    *lane
	version int
	n       int
}

// take keeps a place for one delivery of the webhook, if there is room, the
// circuit is closed and nothing older waits in the table.
func (r *reservation) take(w *webhook.Webhook) bool {
	s := r.lanes
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.closed || !s.open || s.full() {
		return false
	}
	l := s.lane(w.ID)
	l.configure(w)
	defer s.place(l)
	if late := !l.next.IsZero() && !l.next.After(time.Now()); late || l.breaker.Open() || l.room() < 1 {
		return false
	}
	s.promise(l, 1)
	r.keep(l)
	return true
}

func (r *reservation) keep(l *lane) {
	p := r.at(l.id)
	if p == nil {
		r.places = append(r.places, place{lane: l, version: l.version})
		p = &r.places[len(r.places)-1]
	}
	p.n++
}

// at finds the place of a webhook; an account has a handful of them.
func (r *reservation) at(id webhook.ID) *place {
	for i := range r.places {
		if r.places[i].lane.id == id {
			return &r.places[i]
		}
	}
	return nil
}

// settle turns the places into jobs, gives back those that no job came for,
// and marks what waits in the table. It returns the jobs that cannot be kept,
// as [lanes.claimed] does.
func (r *reservation) settle(accepted []webhook.Accepted, now time.Time) (stale []*webhook.Job) {
	s := r.lanes
	s.mu.Lock()
	defer s.mu.Unlock()
	r.closed = true
	for _, a := range accepted {
		for i := range a.Jobs {
			job := &a.Jobs[i]
			if p := r.at(job.Webhook.ID); p != nil && s.open && p.version == p.lane.version {
				s.enqueue(p.lane, job)
			} else {
				stale = append(stale, job)
			}
		}
		for _, id := range a.Waiting {
			l := s.lane(id)
			l.due(now)
			s.place(l)
		}
	}
	r.giveBack()
	return stale
}

// giveBack ends the promises; a job that came for one is held by its own.
func (r *reservation) giveBack() {
	s := r.lanes
	for _, p := range r.places {
		s.promise(p.lane, -p.n)
	}
	s.pump()
	for _, p := range r.places {
		s.place(p.lane)
	}
}
