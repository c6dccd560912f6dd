package webhook

import "time"

// CountCap is where the counting of a list ends: "more than 10,000".
const CountCap = 10_000

// DeliveryFilter selects from the log of an account. Zero fields select all.
type DeliveryFilter struct {
	State   State
	Webhook ID
	Event   ID
	Booking string
	Type    string    // with the platform as [EventKey] writes it
	Since   time.Time // created at or after
	Until   time.Time // created before
	Before  ID        // the page of older ones: the Next of the page before
	After   ID        // only what is newer: ids above it
	Limit   int       // rows of a page, at least 1
}

// Page is one page of a list, the newest first.
type Page[R any] struct {
	Rows []R
	// Next is the Before of the next page; zero on the last one. A filter that
	// no index serves is searched for a bounded stretch at a time: then a page
	// can have a Next although it is not full, or empty, and Next is where the
	// search stopped.
	Next ID
}

// Count is how many rows a list has.
type Count struct {
	N    int
	More bool // there are more than N, or there may be: the counting ended before the list
}

// DeliveryRow is a delivery and what a list shows beside it.
type DeliveryRow struct {
	Delivery
	WebhookName string
}

// EventFilter selects from the events of an account. Zero fields select all.
type EventFilter struct {
	Booking string
	Type    string
	Since   time.Time
	Until   time.Time
	Before  ID
	Limit   int
}

// EventRow is an event and the decisions that were made on it.
type EventRow struct {
	Event
	Decisions []Decision
}

// Sent counts the webhooks that were told.
func (r EventRow) Sent() int {
	sent := 0
	for _, d := range r.Decisions {
		if d.Reason == Matched {
			sent++
		}
	}
	return sent
}

// AccountUse is an account and what it uses.
type AccountUse struct {
	Account
	Webhooks int // asynchronous ones, those that are off included
	Users    int
}

// Session is what the cookie of a browser stands for.
type Session struct {
	User      ID // zero before login
	Data      []byte
	ExpiresAt time.Time
}
