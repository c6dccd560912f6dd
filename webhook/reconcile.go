package webhook

import "time"

// Bounds of a comparison of what a receiver holds with what it was sent.
const (
	MaxUpload          = 10 << 20           // bytes of a list that is pasted or uploaded
	UploadBlock        = 256 << 10          // bytes of it that are stored together
	MaxUploadLines     = 300_000            // lines of it
	MaxHeld            = 200_000            // references in it, each counted once
	MaxReconciled      = 500_000            // deliveries of the period
	MaxUploads         = 5                  // lists of an account that are kept, the newest
	MaxReconciliations = 10                 // comparisons of an account that are kept, the newest
	KeepUpload         = 24 * time.Hour     // how long a list is kept
	KeepReconciliation = 7 * 24 * time.Hour // how long a comparison is kept
)

// Upload is a list that somebody pasted or uploaded. It is stored in blocks of
// UploadBlock bytes, so that nobody has to hold all of it.
type Upload struct {
	ID      UploadID
	Account AccountID
	Name    string // of the file; "" if it was pasted
	Size    int    // bytes
	Created Change
}

// UploadColumns are the columns of a list, as people choose one.
type UploadColumns struct {
	All    []UploadColumn
	Chosen int  // the column that most likely has the references; the first is 0
	Header bool // the first line likely names the columns
}

// UploadColumn is one column of a list.
type UploadColumn struct {
	First  string   // its first cell, which may be its name
	Values []string // some below the first one
	Known  int      // values among those that were looked at that are bookings of the account
}

// ReconcileRequest says what is compared: what a webhook was sent in a period, and the
// references in a column of a list.
type ReconcileRequest struct {
	Webhook      WebhookID
	Since, Until time.Time // zero times leave the period open
	Column       int       // the first is 0
	Header       bool      // the first line names the columns
}

// Reconciliation is a comparison and its counts.
type Reconciliation struct {
	ID      ReconciliationID
	Account AccountID
	ReconcileRequest
	Upload  UploadID // it may be gone
	File    string   // its name; "" if it was pasted
	Counts  ReconcileCounts
	Created Change
}

// ReconcileCounts are what a comparison found.
type ReconcileCounts struct {
	References int // in the list, each counted once
	Repeated   int // lines with a reference that was there before
	Unreadable int // lines with something in the column that cannot be a reference
	Both       int // bookings that were sent and that the receiver holds
	Lacking    int // bookings that were sent in the period and that it does not hold
	Skipped    int // references of bookings that were not sent, with a reason
	Unknown    int // references of bookings that never came in
	// States are those of Lacking by the state of the newest delivery.
	States map[State]int
}

// Unsent counts what the receiver holds and was never sent.
func (c ReconcileCounts) Unsent() int { return c.Skipped + c.Unknown }

// HeldOutcome is what became of a booking that a receiver holds.
type HeldOutcome int

// The outcomes, as they are stored.
const (
	HeldUncompared HeldOutcome = iota
	HeldSent
	HeldSkipped
	HeldUnknown
)

// HeldReference is a reference that a receiver holds.
type HeldReference struct {
	Key       string // the same for all spellings
	Reference string // as it is in the list
	Outcome   HeldOutcome
	Booking   string // HeldSkipped: as it came in
	Reason    Reason // HeldSkipped: why its newest event was not sent; "" while that waits for its platform
}

// SentBooking is a delivery of a booking to the webhook.
type SentBooking struct {
	Booking  string
	Delivery DeliveryID
}

// LackingBooking is a booking that was sent and that the receiver does not hold, with
// its newest delivery as that is now.
type LackingBooking struct {
	Booking  string
	Delivery Delivery // without an ID if it is gone
}

// BookingMatch is an event of a booking with what was decided about it.
type BookingMatch struct {
	Key       string // of the reference that is held
	Booking   string
	Event     EventID
	Decisions []Decision
	Pending   bool // it waits for its platform
}
