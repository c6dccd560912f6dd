package views

import (
	"cmp"
	"slices"

	"bookhook/webhook"
)

// arrival is what a webhook has of the events of a page.
type arrival struct {
	webhook                      BookingDecision // its newest decision
	delivered, waiting, rejected int             // deliveries; those that failed or were stopped are rejected
	retried                      int             // of those that are waiting, after a failed attempt
	removed                      int             // deliveries that are no longer in the log
	open                         BookingDecision // the newest one that is rejected, or else waiting
	reason                       webhook.Reason  // of the newest event; it counts if nothing was sent
}

func (a arrival) sent() int { return a.delivered + a.waiting + a.rejected }

// tone is that of the webhook's status.
func (a arrival) tone() string {
	switch {
	case a.rejected > 0:
		return "bad"
	case a.retried > 0:
		return "warn"
	case a.waiting > 0:
		return "wait"
	case a.delivered+a.removed > 0:
		return "ok"
	}
	return "idle"
}

// tones are in the order in which they need attention.
var tones = []string{"bad", "warn", "wait", "ok", "idle"}

// arrivals says for each webhook what it has of the booking's events, tests apart;
// those that need attention come first.
func (p BookingProps) arrivals() []arrival {
	var all []arrival
	for _, e := range p.Events {
		if e.Event.Test {
			continue
		}
		for _, d := range e.Decisions {
			i := slices.IndexFunc(all, func(a arrival) bool { return a.webhook.Webhook == d.Webhook })
			if i < 0 {
				i, all = len(all), append(all, arrival{webhook: d, reason: d.Reason})
			}
			all[i].count(d)
		}
	}
	slices.SortStableFunc(all, func(a, b arrival) int {
		return cmp.Compare(slices.Index(tones, a.tone()), slices.Index(tones, b.tone()))
	})
	return all
}

// together are arrivals of which the summary says the same: webhooks that have all, and
// those to which nothing was sent.
func together(all []arrival) (groups [][]arrival) {
	for i, a := range all {
		same := i > 0 && a.tone() == all[i-1].tone() && a.removed == 0 && all[i-1].removed == 0
		if tone := a.tone(); same && (tone == "ok" || tone == "idle") {
			groups[len(groups)-1] = append(groups[len(groups)-1], a)
		} else {
			groups = append(groups, []arrival{a})
		}
	}
	return groups
}

func (a *arrival) count(d BookingDecision) {
	switch {
	case d.Delivery == nil && d.Sent:
		a.removed++
	case d.Delivery == nil:
	case d.Delivery.State == webhook.Delivered:
		a.delivered++
	case d.Delivery.State == webhook.Pending:
		if a.waiting++; a.open.Delivery == nil {
			a.open = d
		}
		if d.Delivery.Last.Failure != "" {
			a.retried++
		}
	default:
		if a.rejected++; a.rejected == 1 {
			a.open = d
		}
	}
}

// bookingStatus answers whether a booking arrived: the tone, icon and words of all
// webhooks together.
func bookingStatus(all []arrival) (tone, symbol, word string) {
	if len(all) == 0 {
		return "idle", "skip", "Sent to no webhook"
	}
	switch tone = all[0].tone(); tone {
	case "bad":
		return tone, toneIcons[tone], "Did not arrive everywhere"
	case "warn", "wait":
		return tone, toneIcons[tone], "Still on its way"
	case "ok":
		return tone, toneIcons[tone], "Arrived everywhere"
	}
	return "idle", "skip", "Sent to no webhook"
}

// text says what the webhook has of what was sent to it.
func (a arrival) text() string {
	n := a.sent()
	switch {
	case n == 0 && a.removed > 0:
		return "no longer in the log."
	case n == 0:
		return ReasonText(a.reason)
	case a.delivered == n && n == 1:
		return "received the event that was sent to it."
	case a.delivered == n && n == 2:
		return "received both events that were sent to it."
	case a.delivered == n:
		return "received all " + number(n) + " events that were sent to it."
	case n == 1 && a.rejected == 0:
		return "has not received the event yet."
	case n == 1:
		return "did not receive the event."
	case a.rejected == 0:
		return "has not received " + number(a.waiting) + " of " + number(n) + " events yet."
	}
	return "did not receive " + number(a.rejected) + " of " + number(n) + " events."
}

// separator is what stands before the i-th of n names in a sentence.
func separator(i, n int) string {
	switch i {
	case 0:
		return ""
	case n - 1:
		return " and "
	}
	return ", "
}
