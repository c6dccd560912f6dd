package webhook

// PendingLookup is an event that waits, stored but not matched, until its
// platform has been asked about the booking.
type PendingLookup struct {
	Event    ID
	Account  ID
	Platform string
	Booking  string
	Ask      bool // false: it only waits for an earlier event of its booking
}

// Unanswered is why a platform did not tell what it was asked: a phrase for
// people, such as "it did not answer within 10s".
type Unanswered struct{ Reason string }

func (u Unanswered) Error() string { return u.Reason }
