package webhook

import "time"

// ReplayRequest says what a bulk replay sends: deliveries, or for a webhook events
// that it never got.
type ReplayRequest struct {
	Deliveries DeliveryFilter   // unless Events is set; its page and limit do not count
	IDs        []DeliveryID     // only these of them, if there are any
	Lacking    ReconciliationID // only those of bookings that the receiver lacks by this comparison; zero for all
	Events     *EventFilter     // those that Webhook has no delivery of
	Webhook    WebhookID        // with Events
	Off        bool             // with Events: only those that it did not get because it was off
	Matching   bool             // with Events: only those that the webhook's present filters match
	All        bool             // also events that a later one of their booking has overtaken
	Departed   bool             // also bookings whose tours are over
	Rate       Rate             // zero: as fast as each webhook takes them
}

// Validate says what is wrong with the rate of a request.
func (r ReplayRequest) Validate() error {
	problems := Invalid{}
	problems.AddMessage("rate_limit", r.Rate.check())
	return problems.Err()
}

// Bounds of bulk replays.
const (
	MaxReplays  = 20      // of an account that run at a time
	MaxReplayed = 500_000 // deliveries of one; planning reads each of them
	MaxTicked   = 500     // IDs of a request
)

// ReplayPlan counts what a bulk replay sends, and what it leaves out.
type ReplayPlan struct {
	Deliveries int
	Bookings   int
	Webhooks   int
	Departed   int           // left out: the tours of the booking are over
	Older      int           // left out: a later event of the booking was delivered, or is in the replay
	Takes      time.Duration // about how long it takes while its receivers answer as they did lately
}

// Candidate is what a bulk replay may send, as its planning sees it.
type Candidate struct {
	ReplayItem
	Booking string
	Newest  EventID // of its booking, if that is a later event; else zero
}

// MissedEvent is an event without its data, as the planning of a bulk replay sees it.
type MissedEvent struct {
	EventRow
	Newest   EventID // of its booking, if that is a later event; else zero
	Previous EventID // of its booking; zero if there is none
}

// ReplayState is how far a bulk replay is. The texts are part of the API.
type ReplayState string

// The states. ReplayPlanning is never seen: what is planned is not created yet.
const (
	ReplayPlanning  ReplayState = "planning"
	ReplayRunning   ReplayState = "running"
	ReplayDone      ReplayState = "done" // the first attempt of each of its deliveries has ended
	ReplayCancelled ReplayState = "cancelled"
)

// Replay is a bulk replay and what became of it. A delivery whose first attempt in it
// failed is neither delivered nor failed while it waits for its next attempt.
type Replay struct {
	ID        ReplayID
	Account   AccountID
	Request   ReplayRequest
	State     ReplayState
	Total     int // deliveries
	Sent      int // whose first attempt has started
	LeftOut   int // that were not sent when their turn came: they are gone, or a later event of their booking was delivered meanwhile, or was about to be
	Delivered int
	Failed    int
	Created   Change
	Finished  time.Time // zero while it runs
}

// MaxLaterEvents is how many later events of a booking are looked at, the newest first,
// to see whether one has overtaken an event.
const MaxLaterEvents = 1000

// ReplayItem is one delivery of a bulk replay. It need not exist yet: then the event
// was skipped, and the delivery is created with this id when its turn comes.
type ReplayItem struct {
	Delivery DeliveryID
	Event    EventID
	Webhook  WebhookID
}
