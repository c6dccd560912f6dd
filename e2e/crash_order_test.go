package e2e

import (
	"cmp"
	"maps"
	"net/http"
	"regexp"
	"slices"
)

// final notes what became of an event, as the last thing in its history.
func (h *history) final(id string, found []event) {
	answer := eventAnswer{status: http.StatusNotFound}
	if len(found) > 0 {
		answer = eventAnswer{http.StatusOK, found[0].result()}
	}
	h.add(h.events, id, eventCall{read: true}, answer, h.now())
}

// queue notes when a delivery came into the queue of its webhook and booking, and when it left it: when the receiver saw
// the attempt that ended it for the first time.
func (a *audit) queue(s *sink, d delivery, when span) {
	if d.Booking == "" {
		return
	}
	key := s.hook.Name + " " + d.Booking
	a.history.add(a.history.queues, key, queued{event: d.Event}, nil, when.called, when.answered)
	if left, ok := d.end(s.sights(d.ID)); ok && left.came < a.began {
		a.history.add(a.history.queues, key, queued{true, d.Event}, nil, left.came, left.answered)
	}
}

// end is when a receiver saw the attempt that ended a delivery for the first time.
func (d delivery) end(saw []sight) (sight, bool) {
	end := d.firstEnd()
	i := slices.IndexFunc(saw, func(s sight) bool { return end > 0 && s.number == end && s.status == d.Attempts[end-1].Status })
	if i < 0 {
		return sight{}, false
	}
	return saw[i], true
}

// inOrder checks for each webhook and booking that the receiver saw nothing of a delivery before each earlier one had
// ended, replays aside. Earlier is what has the lower id. What came after the audit began is left out: deliveries go on.
func (a *audit) inOrder() {
	for _, s := range a.sinks() {
		bookings := map[string][]delivery{}
		for _, of := range a.of {
			if d := of[s.hook.ID]; d.Booking != "" && !d.Test && !d.jumped(a.replayer.of(d.ID)) {
				bookings[d.Booking] = append(bookings[d.Booking], d)
			}
		}
		for booking, all := range bookings {
			slices.SortFunc(all, func(a, b delivery) int { return cmp.Compare(a.ID, b.ID) })
			last, by := int64(0), ""
			for _, d := range all {
				saw := s.sights(d.ID)
				until := int64(never)
				if ended, ok := d.end(saw); ok {
					until = ended.came
				}
				for _, seen := range saw {
					if seen.came <= last && seen.came < a.began {
						a.op.t.Errorf("booking %s: %s saw %+v before %s had ended: %+v", booking, s.hook.Name, seen, by, d)
					}
				}
				if until > last {
					last, by = until, d.ID
				}
			}
		}
	}
}

var markOf = regexp.MustCompile(`letter-[0-9]+\.`)

// everyLetter checks that all that is left is letters, and that what was answered to a platform is there once, with its deliveries and the tours that TourCMS
// told, and what got no clear answer once or not at all.
func (a *audit) everyLetter() {
	found := map[string]event{}
	for _, same := range a.events {
		for _, e := range same {
			r, err := a.op.try(a.client, "GET", "/events/"+e.ID, nil)
			must(a.op.t, err)
			mark := string(markOf.Find(r.Body))
			switch {
			case mark == "":
				a.op.t.Errorf("event %s (%s) was never sent, or is there twice", e.ID, e.External)
			case e.to(a.asker.gate.hook) != "":
				a.questionOf(e, mark)
			case found[mark].ID != "":
				a.op.t.Errorf("%s is there twice: %+v and %+v", mark, e, found[mark])
			default:
				found[mark] = e
			}
		}
	}
	for _, l := range a.post.letters {
		a.letter(l, found[l.mark])
		delete(found, l.mark)
	}
	for mark := range maps.Keys(found) {
		a.op.t.Errorf("%s was never sent", mark)
	}
}

func (a *audit) letter(l *letter, e event) {
	answered := l.confirmed > 0
	if answered {
		a.Letters++
	}
	if l.synchronous {
		a.wasAsked(l)
	}
	if e.ID == "" {
		if a.lost(answered); answered {
			a.op.t.Errorf("%s of %s was answered and is not there", l.mark, l.platform)
		}
		return
	}
	if l.id != "" && l.id != e.ID || e.Booking != l.booking || e.Platform != l.platform {
		a.op.t.Errorf("%s of %s: got %+v, want %s about %s", l.mark, l.platform, e, l.id, l.booking)
	}
	if l.synchronous && !answered && l.denied == l.tries {
		a.op.t.Errorf("%s was refused, and is there: %+v", l.mark, e)
	}
	if asked := l.platform == "tourcms" && !l.synchronous; asked && e.Note == "" && !slices.Equal(e.Tours, []string{tourOf(l.booking)}) {
		a.op.t.Errorf("%s: got tours %q, want what TourCMS says", l.mark, e.Tours)
	}
	a.hasAll(e, l.span, answered)
}

// everyTest checks that each test that was answered is there, and no test that nobody asked for.
func (a *audit) everyTest() {
	there := map[string]bool{}
	for id, same := range a.events {
		a.events[id] = slices.DeleteFunc(same, func(e event) bool {
			if e.Test {
				there[e.to(a.wild.hook)] = true
			}
			return e.Test
		})
		if len(a.events[id]) == 0 {
			delete(a.events, id)
		}
	}
	if len(there) > a.replayer.trials {
		a.op.t.Errorf("%d tests are there, want %d at most", len(there), a.replayer.trials)
	}
	for _, id := range a.replayer.tests {
		if !there[id] {
			a.lost(true)
			a.op.t.Errorf("the test %s is not there", id)
		}
	}
}
