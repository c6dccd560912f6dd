package webhook

// Bounds of a page of a booking's events.
const (
	BookingAttempts    = 11                 // attempts that are listed of each delivery, the newest
	MaxBookingOutcomes = 500                // decisions and attempts after which a page ends with its event
	ResponseBeginning  = MaxMessageBody + 1 // bytes of a response's body that are listed with an attempt: enough to see what the receiver said
)

// BookingEvent is an event of a booking and what became of it.
type BookingEvent struct {
	EventRow         // without its data
	Previous EventID // the booking's event of the same platform before it, tests apart; zero when there is none, or for a test
	// Deliveries are those of the decisions that are still in the log, in their order.
	Deliveries []LoggedDelivery
}

// LoggedDelivery is a delivery and its newest attempts.
type LoggedDelivery struct {
	Delivery
	// Attempts are the newest ones in their order, without bodies but for the
	// beginning of the response's. A number without an attempt was cut off.
	Attempts []Attempt
}
