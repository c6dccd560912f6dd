package webhook

import (
	"net/http"
	"slices"
	"time"
)

// State of a delivery.
type State string

// The states. A delivery in flight is pending: its attempt is already counted,
// and its NextAt is the end of a lease, so that claims expire by themselves after
// a crash.
const (
	Pending   State = "pending"
	Delivered State = "delivered"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// States lists all states.
var States = []State{Pending, Delivered, Failed, Cancelled}

// Delivery is one event for one webhook.
type Delivery struct {
	ID        DeliveryID
	Account   AccountID
	Event     EventID
	Webhook   WebhookID
	Platform  string
	Type      string
	BookingID string
	Test      bool
	Inline    bool // of an inline webhook: sent once, at the moment it was created
	State     State
	Attempts  int       // made or in flight, over all replays
	Completed int       // number of the last attempt that ended; below Attempts while one is in flight
	Base      int       // attempts that the retry schedule does not count: before the last replay, extra ones, and those whose kept connection was closed
	NextAt    time.Time // next attempt while pending; the end of the lease while in flight; zero while held
	Scheduled time.Time // when the next attempt was due before an extra one was asked for; zero if the next one is none
	Held      bool      // pending behind an earlier delivery of the same booking to the same webhook
	Urgent    bool      // pending for a person who waits for its next result: it goes before everything that is due
	CreatedAt time.Time
	Finished  time.Time // zero while pending
	Last      Outcome   // of the last attempt that ended; zero before that
	Replay    ReplayID  // the bulk replay that sent it last; zero for none, and after a person sent it again
}

// InFlight reports whether a request of the delivery is in flight at now.
func (d Delivery) InFlight(now time.Time) bool {
	return d.State == Pending && d.Attempts > d.Completed && d.NextAt.After(now)
}

// Outcome is the summary of an attempt, kept with its delivery for the list.
type Outcome struct {
	Status   int     // HTTP status; 0 when there was no response
	Failure  Failure // "" on success
	Duration time.Duration
}

// Outcome returns the summary of the attempt.
func (a Attempt) Outcome() Outcome {
	return Outcome{Status: a.Status, Failure: a.Failure, Duration: a.Duration}
}

// Failure says why an attempt failed. The texts are part of the API.
type Failure string

// The failures. CutOff is never stored: it is an attempt number without a row.
const (
	FailBlocked  Failure = "blocked"  // the address guard refused the address
	FailDNS      Failure = "dns"      // the host name did not resolve
	FailTLS      Failure = "tls"      // no trusted certificate, or no handshake
	FailRefused  Failure = "refused"  // nothing listens there
	FailTimeout  Failure = "timeout"  // no complete response in time
	FailNetwork  Failure = "network"  // the connection broke
	FailStatus   Failure = "status"   // a response that is not a success
	FailRedirect Failure = "redirect" // a 3xx, which is not followed
	FailGone     Failure = "gone"     // 410; switches the webhook off
	FailLoop     Failure = "loop"     // the receiver is a Bookhook, to which the event came back; not attempted again
	FailAnswer   Failure = "answer"   // 200 to an inline call, with a body that is not valid
	FailInternal Failure = "internal" // Bookhook itself could not create the request
	CutOff       Failure = "cut_off"  // Bookhook stopped while the request was in flight
)

// MaxStoredBody is how many bytes of a response's body are kept.
const MaxStoredBody = 64 << 10

// Attempt is one HTTP request of a delivery and the response to it.
type Attempt struct {
	Number          int
	StartedAt       time.Time
	Duration        time.Duration
	Status          int // 0 when there was no response
	Failure         Failure
	Error           Message // the failure, explained; zero on success
	Method          string
	URL             string
	RemoteAddr      string // the address that was dialled, "" when none was
	RequestHeaders  http.Header
	RequestBody     []byte
	ResponseHeaders http.Header
	ResponseBody    []byte // the first MaxStoredBody bytes
	Truncated       bool   // there was more
	LeftOut         bool   // both bodies are left out of a list; see AttemptBodies
}

// Bounds of a list of a delivery's attempts.
const (
	AttemptsShown = 100     // numbers
	AttemptBodies = 8 << 20 // bytes of bodies, but for the last one
)

// SameSnapshot removes the attempts that ended after the delivery was read, so
// that both show the same moment. It reuses the slice.
func (d Delivery) SameSnapshot(attempts []Attempt) []Attempt {
	return slices.DeleteFunc(attempts, func(a Attempt) bool { return a.Number >= d.Attempts && a.Number > d.Completed })
}

// Job is a claimed delivery with everything needed to send it.
type Job struct {
	Delivery Delivery
	Event    Event
	Webhook  *Webhook
	Account  Account
	Urgent   bool // a person waits for it: it goes at once
	Bulk     bool // an item of a bulk replay: it goes after all others
}

// Result is how an attempt ended: what is written into the log and what becomes
// of the delivery.
type Result struct {
	Delivery DeliveryID
	Event    EventID
	Account  AccountID
	Webhook  WebhookID
	Replay   ReplayID // the bulk replay that the delivery is part of
	Attempt  Attempt  // Attempt.Number fences: a late result does not move the delivery
	State    State
	NextAt   time.Time      // when Pending; with Again, until when the next attempt is claimed
	Again    bool           // the next attempt is made at once: a kept connection was closed, which is no failure of the receiver
	Data     []byte         // of the event; the log does not keep it again in the request's body
	Gone     bool           // switch the webhook off
	Warnings *Warnings      // of the webhook, where the attempt changed them; else nil
	Test     bool           // of a test event
	Own      bool           // of one of Bookhook's own events
	Inline   bool           // of an inline webhook
	Circuit  func() Circuit // of the webhook at the time when it is called: results may be recorded in another order; nil: unknown
}

// Once reports whether the attempt is the only one: somebody waits for the result.
func (r Result) Once() bool { return r.Test || r.Inline }

// CountsAsFailing reports whether the failure counts against the webhook's health. That of
// a test does not, and neither does the refusal of a booking.
func (r Result) CountsAsFailing() bool {
	return !r.Test && (!r.Inline || !r.Attempt.Outcome().RefusesBooking())
}

// Finished says what recording a result changed besides its delivery.
type Finished struct {
	Off      OffReason // why the webhook was switched off by it; "" when it was not
	Released bool      // a held delivery of the same webhook became due
	Again    bool      // the next attempt is claimed, as the result asked
	// Recovered says that the webhook was failing until this success.
	Recovered bool
}
