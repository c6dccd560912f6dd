package views

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"bookhook/webhook"
)

// Story is what became of a delivery, in plain words.
type Story struct {
	What string // happened
	Why  string // "" when there is nothing to explain
	Next string // what happens next, or what to do; "" when nothing
}

// StoryOf tells the story of a delivery. Attempts may be in any order; the
// webhook is nil when it was deleted; tries is how many the retry schedule has.
func StoryOf(d webhook.Delivery, attempts []webhook.Attempt, w *webhook.Webhook, tries int, now time.Time, loc *time.Location) Story {
	switch {
	case d.Asked:
		return askedStory(d, attempts, now, loc)
	case d.InFlight(now):
		return inFlight(d, tries)
	case d.State == webhook.Pending:
		return waiting(d, w, tries, now, loc)
	case d.State == webhook.Delivered:
		return delivered(d, attempts, now, loc)
	case d.State == webhook.Failed:
		return failed(d, w)
	}
	return cancelled(d, w)
}

func inFlight(d webhook.Delivery, tries int) Story {
	s := Story{
		What: "Bookhook is about to call your server, or waits for its answer (" + tryOf(d, tries) + ").",
		Next: "The answer appears here; if it does not, reload the page.",
	}
	if d.Answered > 0 && d.Last.Failure != "" {
		s.Why = "The try before: " + lowerFirst(outcomeText(d.Last))
	}
	return s
}

func waiting(d webhook.Delivery, w *webhook.Webhook, tries int, now time.Time, loc *time.Location) Story {
	if d.Held {
		return waitingInOrder(d, w)
	}
	s := Story{What: "Your server has not accepted " + subject(d) + " yet.", Next: againAt(d, tries, now, loc)}
	switch {
	case d.Attempts > d.Answered:
		s.What = "Bookhook was stopped while try " + strconv.Itoa(d.Attempts) + " was about to be sent or on its way, so nobody knows whether your server got it."
		s.Why = "It will be sent again; your server can tell it is the same by the webhook-id."
	case d.Answered > 0:
		s.Why = outcomeText(d.Last)
	}
	if w != nil && !w.Enabled {
		s.Next = "It waits because the webhook is off (" + offText(w.OffReason) + "), and goes out when you switch it on again."
	}
	return s
}

// waitingInOrder tells of a delivery that is held.
func waitingInOrder(d webhook.Delivery, w *webhook.Webhook) Story {
	s := Story{
		What: "Waits for an earlier event of booking " + shortName(d.BookingID) + ".",
		Why:  "This webhook gets the events of one booking one after another, and your server has not accepted the earlier one yet.",
		Next: "It goes out by itself once the earlier one is delivered, given up or stopped. If the order does not matter, send it now.",
	}
	if w != nil && !w.Enabled {
		s.Next = "The webhook is off (" + offText(w.OffReason) + "). When you switch it on again, the earlier one goes out first, then this one."
	}
	return s
}

func againAt(d webhook.Delivery, tries int, now time.Time, loc *time.Location) string {
	left := tries - (d.Attempts - d.Base)
	again := "Bookhook tries again"
	if d.Attempts == 0 {
		again = "Bookhook makes the first try"
	}
	if d.NextAt.After(now) {
		again += " at " + clock(d.NextAt, now, loc) + " (in " + span(d.NextAt.Sub(now)) + ")"
	} else {
		again += " in a moment"
	}
	switch {
	case d.Attempts == 0 || left < 1:
		return again + "."
	case left == 1:
		return again + ". It is the last try."
	}
	return again + ". " + number(left) + " tries are left."
}

func delivered(d webhook.Delivery, attempts []webhook.Attempt, now time.Time, loc *time.Location) Story {
	s := Story{What: "Your server has " + subject(d) + "."}
	if !d.Finished.IsZero() {
		s.What = "Your server accepted " + subject(d) + " at " + clock(d.Finished, now, loc) + ", " + onTry(d) + "."
	}
	if before := lastFailure(attempts); before != nil && d.Attempts > 1 {
		s.Why = "Before that, try " + strconv.Itoa(before.Number) + " failed: " + lowerFirst(outcomeText(outcome(*before)))
	}
	s.Next = "Nothing is left to do."
	return s
}

func failed(d webhook.Delivery, w *webhook.Webhook) Story {
	s := Story{
		What: "Your server never accepted " + subject(d) + ". Bookhook gave up after " + count(d.Attempts, false, "try", "tries") + over(d) + ".",
		Why:  outcomeText(d.Last),
		Next: strings.TrimSpace(advice(d.Last) + " Then press Replay to send it again."),
	}
	if w == nil {
		s.Next = "The webhook was deleted, so it cannot be sent again."
	} else if d.Last.Failure == webhook.FailGone {
		s.Next = "This answer says that the address is gone for good, so Bookhook switched the webhook off. Correct its URL, switch it on, then press Replay."
	}
	return s
}

func cancelled(d webhook.Delivery, w *webhook.Webhook) Story {
	s := Story{What: "This delivery was stopped before your server accepted it.", Next: "Press Replay to send it after all."}
	if d.Answered > 0 {
		s.Why = "The last try: " + lowerFirst(outcomeText(d.Last))
	}
	if w == nil {
		s.What = "This delivery was cancelled because its webhook was deleted."
		s.Next = "Your server was not told of it by this webhook."
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
	return "this event of booking " + shortName(d.BookingID)
}

func tryOf(d webhook.Delivery, tries int) string {
	try := d.Attempts - d.Base
	if try > tries || try < 1 {
		return "try " + strconv.Itoa(d.Attempts)
	}
	if d.Base > 0 {
		return "try " + strconv.Itoa(d.Attempts) + ", number " + strconv.Itoa(try) + " of its schedule"
	}
	return "try " + strconv.Itoa(try) + " of " + strconv.Itoa(tries)
}

func onTry(d webhook.Delivery) string {
	if d.Attempts == 1 {
		return "on the first try"
	}
	return "on try " + strconv.Itoa(d.Attempts)
}

func over(d webhook.Delivery) string {
	if gap := d.Finished.Sub(d.CreatedAt); !d.Finished.IsZero() && gap >= time.Minute {
		return " over " + span(gap)
	}
	return ""
}

func offText(r webhook.OffReason) string {
	switch r {
	case webhook.OffGone:
		return "your server answered 410, gone"
	case webhook.OffFailing:
		return "it failed for five days without one success"
	}
	return "a person switched it off"
}

func outcome(a webhook.Attempt) webhook.Outcome {
	return webhook.Outcome{Status: a.Status, Failure: a.Failure, Duration: a.Duration}
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

// outcomeText is how an attempt ended, as a sentence.
func outcomeText(o webhook.Outcome) string {
	if brokenOff(o) {
		return brokenOffText(o)
	}
	switch o.Failure {
	case "":
		return "Your server answered " + statusText(o.Status) + "."
	case webhook.FailBlocked:
		return "The address of the webhook is in a private network, which this Bookhook does not call."
	case webhook.FailDNS:
		return "The host name in the webhook’s URL was not found."
	case webhook.FailTLS:
		return "No safe connection: your server’s certificate is missing, expired or not trusted."
	case webhook.FailRefused:
		return "Nothing listens at the address: the connection was refused."
	case webhook.FailTimeout:
		return "Your server did not answer in time."
	case webhook.FailNetwork:
		return "The connection to your server broke before it answered, or what came back was no HTTP answer."
	case webhook.FailAnswer:
		return "Your server answered " + statusText(o.Status) + ", but what it said is no answer: neither nothing nor a JSON object."
	case webhook.FailInternal:
		return "Bookhook itself could not write this request."
	case webhook.CutOff:
		return "Bookhook stopped while the request was about to be sent or on its way; whether your server got it is not known."
	case webhook.FailRedirect:
		return "Your server pointed to another address (" + statusText(o.Status) + "), and Bookhook does not follow."
	}
	if o.Status >= 200 && o.Status <= 299 {
		return "Your server answered " + statusText(o.Status) + ", but this format counts 200 only as accepted."
	}
	return "Your server answered " + statusText(o.Status) + "."
}

func brokenOffText(o webhook.Outcome) string {
	began := "Your server began to answer " + statusText(o.Status)
	if o.Failure == webhook.FailTimeout {
		return began + " but did not finish in time."
	}
	return began + " but the connection broke before it had finished."
}

// statusText is an HTTP status with what it means.
func statusText(status int) string {
	meaning := strings.ToLower(http.StatusText(status))
	switch status {
	case 429:
		meaning = "too many requests at once"
	case 500:
		meaning = "an error in your server"
	case 502, 504:
		meaning = "the server behind it did not answer"
	case 503:
		meaning = "temporarily unavailable"
	}
	if meaning == "" {
		return strconv.Itoa(status)
	}
	return strconv.Itoa(status) + " (" + meaning + ")"
}

// advice is what to look at after a failure.
func advice(o webhook.Outcome) string {
	switch {
	case o.Failure == webhook.FailBlocked:
		return "Correct the URL, or ask " + webhook.SupportContact + " to allow the address (--allow-private-targets)."
	case o.Failure == webhook.FailInternal:
		return "Tell " + webhook.SupportContact + "."
	case o.Failure == webhook.FailDNS:
		return "Check the spelling of the host in the webhook’s URL."
	case o.Failure == webhook.FailTLS:
		return "Ask whoever looks after your server to renew its certificate."
	case o.Failure == webhook.FailTimeout:
		return "Let your server answer first and do its work afterwards."
	case o.Failure == webhook.FailNetwork:
		return "Look into your server’s own log for why it ended the connection."
	case o.Failure == webhook.FailRedirect:
		return "Enter the final address as the webhook’s URL."
	case o.Status == 401 || o.Status == 403:
		return "Check whether your server or its firewall asks for a sign-in at this address."
	case o.Status == 404 || o.Status == 405:
		return "Check the path of the webhook’s URL and the method your server expects."
	case o.Status >= 500:
		return "Look into your server’s own log for the time of the last try."
	}
	return "Put right what your server complains about."
}

func lowerFirst(text string) string {
	if text == "" || strings.HasPrefix(text, "Bookhook") {
		return text
	}
	return strings.ToLower(text[:1]) + text[1:]
}
