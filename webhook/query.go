package webhook

import "time"

// CountCap is the number at which counting a list stops: "more than 10,000".
const CountCap = 10_000

// DeliveryFilter selects from the log of an account. Zero fields select all.
type DeliveryFilter struct {
	State   State
	Webhook WebhookID
	Event   EventID
	Booking string
	Type    string     // with the platform as [EventKey] writes it
	Replay  ReplayID   // those that a bulk replay sends or sent
	Since   time.Time  // created at or after
	Until   time.Time  // created before
	Before  DeliveryID // the page of older ones: the Next of the page before
	After   DeliveryID // only what is newer: ids above it
	Limit   int        // rows of a page, at least 1
}

// Page is one page of a list, the newest first.
type Page[R any, I anyID] struct {
	Rows []R
	// Next is the Before of the next page; zero on the last one. With a filter
	// that no index serves, each page searches a bounded number of rows: it can
	// then have a Next although it is not full, or even empty, and Next is where
	// the search stopped.
	Next I
}

// Count is how many rows a list has.
type Count struct {
	N    int
	More bool // there are or may be more than N: counting stopped before the end of the list
}

// DeliveryRow is a delivery and what a list shows beside it.
type DeliveryRow struct {
	Delivery
	WebhookName string
}

// Sent selects events by whether they have a delivery. Those that wait for their
// match are neither.
type Sent string

// The values of Sent; "" selects all events.
const (
	SentToSome   Sent = "true"  // to one webhook or more
	SentToNobody Sent = "false" // to none
)

// EventFilter selects from the events of an account. Zero fields select all.
type EventFilter struct {
	Booking string
	Type    string // with the platform as [EventKey] writes it
	Channel string
	Tour    string // one of the event's
	Sent    Sent
	Since   time.Time
	Until   time.Time
	Before  EventID
	Limit   int
}

// EventRow is an event and the decisions that were made on it.
type EventRow struct {
	Event
	Decisions []Decision
}

// Sent counts the webhooks to which the event was sent, at once or later.
func (r EventRow) Sent() int {
	return len(DeliveryIDs(r.Decisions))
}
