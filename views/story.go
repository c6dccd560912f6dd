package views

import (
	"strconv"
	"time"

	"bookhook/messages"
	"bookhook/webhook"
)

// Story is what happened to a delivery, for operators.
type Story struct {
	What string // happened
	Why  string // "" when there is nothing to explain
	Fix  string // who can fix it, and how; "" when there is nothing to fix
	Next string // what happens next, or what to do; "" when nothing
}

// StoryOf tells the story of a delivery. Attempts may be in any order; the
// webhook is nil when it was deleted; maxAttempts is the length of the retry
// schedule.
func StoryOf(d webhook.Delivery, attempts []webhook.Attempt, w *webhook.Webhook, maxAttempts int, now time.Time, loc *time.Location) Story {
	switch {
	case d.Inline:
		return inlineStory(d, attempts, w, now, loc)
	case d.InFlight(now):
		return inFlightStory(d, w, maxAttempts)
	case d.State == webhook.Pending:
		return waitingStory(d, attempts, w, maxAttempts, now, loc)
	case d.State == webhook.Delivered:
		return deliveredStory(d, w, now, loc)
	case d.State == webhook.Failed:
		return failedStory(d, attempts, w)
	}
	return cancelledStory(d, w)
}

func inFlightStory(d webhook.Delivery, w *webhook.Webhook, maxAttempts int) Story {
	s := Story{
		What: attemptOf(d, maxAttempts) + " is in progress.",
		Next: "The result appears here; if it does not, reload the page.",
	}
	if d.Completed > 0 && d.Last.Failure != "" {
		s.Why = "Previous attempt: " + messages.OutcomeText(d.Last, receiverName(w))
	}
	return s
}

func waitingStory(d webhook.Delivery, attempts []webhook.Attempt, w *webhook.Webhook, maxAttempts int, now time.Time, loc *time.Location) Story {
	if d.Held {
		return heldStory(d, w)
	}
	name := receiverName(w)
	s := Story{What: messages.AtStart(name) + " has not accepted " + subject(d) + " yet.", Next: nextAttemptText(d, maxAttempts, now, loc)}
	switch {
	case d.Attempts > d.Completed:
		s.What = "Bookhook stopped during attempt " + strconv.Itoa(d.Attempts) + "; it is not known whether " + name + " received it."
		s.Why = "It is sent again with the same webhook-id, by which the receiver can recognise it."
	case d.Completed > 0:
		s.Why = lastAnswer(d, attempts, name)
		s.Fix = messages.Fix(d.Last, name)
	}
	if w != nil && !w.Enabled {
		s.Next = offText(w.OffReason) + " Switch it on to send this delivery."
	}
	return s
}

// heldStory is for a delivery that waits for an earlier one of its booking.
func heldStory(d webhook.Delivery, w *webhook.Webhook) Story {
	s := Story{
		What: "Waiting for an earlier event of booking " + truncate(d.BookingID) + ".",
		Why:  "This webhook receives the events of a booking in order, and the earlier one is not delivered yet.",
		Next: "It is sent as soon as the earlier one is delivered, failed or stopped. If the order does not matter, send it now.",
	}
	if w != nil && !w.Enabled {
		s.Next = offText(w.OffReason) + " When you switch it on, the earlier event is sent first."
	}
	return s
}

func nextAttemptText(d webhook.Delivery, maxAttempts int, now time.Time, loc *time.Location) string {
	next := "Next attempt"
	if d.Attempts == 0 {
		next = "First attempt"
	}
	if d.NextAt.After(now) {
		next += " at " + clock(d.NextAt, now, loc) + " (in " + span(d.NextAt.Sub(now)) + ")"
	} else {
		next += " now"
	}
	switch left := maxAttempts - (d.Attempts - d.Base); {
	case d.Attempts == 0 || left < 1:
		return next + "."
	case left == 1:
		return next + "; it is the last one."
	default:
		return next + "; " + number(left) + " attempts left."
	}
}

// deliveredStory is one sentence: there is nothing left to do, and earlier attempts are
// listed.
func deliveredStory(d webhook.Delivery, w *webhook.Webhook, now time.Time, loc *time.Location) Story {
	what := messages.AtStart(receiverName(w)) + " accepted " + subject(d)
	if !d.Finished.IsZero() {
		what += " at " + clock(d.Finished, now, loc) + ", " + onAttempt(d)
	}
	return Story{What: what + "."}
}

func failedStory(d webhook.Delivery, attempts []webhook.Attempt, w *webhook.Webhook) Story {
	s := Story{
		What: messages.AtStart(receiverName(w)) + " did not accept " + subject(d) + ". Bookhook gave up after " + count(d.Attempts, false, "attempt", "attempts") + over(d) + ".",
		Why:  lastAnswer(d, attempts, receiverName(w)),
		Fix:  messages.Fix(d.Last, receiverName(w)),
		Next: "Then press Replay to send it again.",
	}
	switch {
	case w == nil:
		s.Fix, s.Next = "", "The webhook was deleted, so it cannot be sent again."
	case d.Last.RefusesBooking():
		s.Next = "Press Replay once the receiver accepts that data."
	case d.Last.Failure == webhook.FailGone:
		s.Fix, s.Next = "", "This means that the URL is gone for good, so Bookhook switched the webhook off. Correct the URL, switch the webhook on, then press Replay."
	}
	return s
}

func cancelledStory(d webhook.Delivery, w *webhook.Webhook) Story {
	s := Story{What: "This delivery was stopped before " + receiverName(w) + " accepted it.", Next: "Press Replay to send it after all."}
	if d.Completed > 0 {
		s.Why = "Last attempt: " + messages.OutcomeText(d.Last, receiverName(w))
	}
	if w == nil {
		s.What = "This delivery was cancelled because its webhook was deleted."
		s.Next = "The receiver has not accepted it, and it cannot be sent again."
	}
	return s
}

func subject(d webhook.Delivery) string {
	switch {
	case d.Test:
		return "this test"
	case d.BookingID == "":
		return "this event"
	}
	return "this event of booking " + truncate(d.BookingID)
}

// attemptOf is such as "Attempt 3 of 11"; after a replay, which starts the
// schedule again, or one that the schedule does not count, it is "Attempt 14 (3 of 11
// of the retry schedule)".
func attemptOf(d webhook.Delivery, maxAttempts int) string {
	text, n := "Attempt "+strconv.Itoa(d.Attempts), d.Attempts-d.Base
	switch {
	case n > maxAttempts || n < 1:
		return text
	case d.Base > 0:
		return text + " (" + strconv.Itoa(n) + " of " + strconv.Itoa(maxAttempts) + " of the retry schedule)"
	}
	return text + " of " + strconv.Itoa(maxAttempts)
}

func onAttempt(d webhook.Delivery) string {
	if d.Attempts == 1 {
		return "on the first attempt"
	}
	return "on attempt " + strconv.Itoa(d.Attempts)
}

func over(d webhook.Delivery) string {
	if gap := d.Finished.Sub(d.CreatedAt); !d.Finished.IsZero() && gap >= time.Minute {
		return " over " + span(gap)
	}
	return ""
}

// offText says why a webhook is off.
func offText(r webhook.OffReason) string {
	switch r {
	case webhook.OffGone:
		return "The webhook was switched off because the receiver answered 410 Gone."
	case webhook.OffFailing:
		return "The webhook was switched off because every delivery had failed for five days."
	}
	return "The webhook was switched off by a person."
}

// lastAnswer says how the last attempt ended, and what the receiver itself said if that
// is short and readable.
func lastAnswer(d webhook.Delivery, attempts []webhook.Attempt, name string) string {
	text := messages.OutcomeText(d.Last, name)
	if last := lastFailure(attempts); last != nil && last.Number == d.Attempts {
		if said := webhook.ReceiverMessage(*last); said != "" {
			text += " It said: “" + truncate(said) + "”."
		}
	}
	return text
}

// lastFailure is the failed attempt with the highest number, or nil.
func lastFailure(attempts []webhook.Attempt) *webhook.Attempt {
	var last *webhook.Attempt
	for i := range attempts {
		if attempts[i].Failure != "" && (last == nil || attempts[i].Number > last.Number) {
			last = &attempts[i]
		}
	}
	return last
}
