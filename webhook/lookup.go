package webhook

import "fmt"

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

// Refreshed counts what came of taking over a platform's channels or tours.
type Refreshed struct{ Added, Renamed, Unchanged int }

// String is such as "12 added, 3 renamed, 40 unchanged".
func (r Refreshed) String() string {
	return fmt.Sprintf("%d added, %d renamed, %d unchanged", r.Added, r.Renamed, r.Unchanged)
}
