package webhook

import (
	"net/http"
	"time"
)

// Limits of what a platform sends in.
const (
	MaxInboundDepth  = 100      // levels of nesting, in JSON and XML
	MaxUnrecognised  = 64 << 10 // bytes that are kept of a body that could not be read
	KeepUnrecognised = 7 * 24 * time.Hour
	ListUnrecognised = 1000 // the newest of an account that are kept
)

// Inbound is a request of a booking platform to an account's address.
type Inbound struct {
	Method        string
	Query         string // as it came, without the question mark
	ContentType   string
	Authorization string
	Body          []byte
	Settings      Settings // of the account for this platform
}

// Reading is what a platform's request says.
type Reading struct {
	Event Event // Type, ChannelID, BookingID, TourIDs, OccurredAt, Data and Wire
	// Identity is the platform's own id of the notification, by which a
	// redelivery is recognised; "" when it has none: then the same bytes are
	// the same notification.
	Identity string
	// Within is for how long the same notification is a redelivery; zero:
	// always. It is for platforms whose bytes can come again in earnest.
	Within time.Duration
}

// Unreadable is why a platform's request could not be taken as an event. It is
// kept in the account's list of what was not recognised.
type Unreadable struct {
	Status  int    // of the answer
	Message string // for the operator: what is wrong and what to do
}

func (u Unreadable) Error() string { return u.Message }

// The kinds of Unreadable.

// BadRequest is an [Unreadable] whose content makes no sense.
func BadRequest(message string) error { return Unreadable{http.StatusBadRequest, message} }

// BadSignature is an [Unreadable] that does not prove who sent it.
func BadSignature(message string) error { return Unreadable{http.StatusUnauthorized, message} }

// BadType is an [Unreadable] of a content type that the platform does not send.
func BadType(message string) error { return Unreadable{http.StatusUnsupportedMediaType, message} }

// UnknownEvent is an [Unreadable] with an event that is in no catalogue.
func UnknownEvent(message string) error { return Unreadable{http.StatusUnprocessableEntity, message} }

// Unrecognised is a request to an account's address that could not be read.
type Unrecognised struct {
	ID          ID
	Account     ID
	Platform    string
	Method      string
	Query       string
	ContentType string
	Body        []byte // the first MaxUnrecognised bytes
	Truncated   bool   // there was more
	Status      int    // how it was answered
	Message     string // why, for the operator
	Times       int    // how often the same came
	LastAt      time.Time
}

// Ref is its id as shown.
func (u Unrecognised) Ref() string { return u.ID.Text(UnreadPrefix) }

// Lookup asks a platform's API about the booking of an event that does not say
// which tours it is of.
type Lookup struct {
	// Wanted says whether the event lacks what the platform could tell, and the
	// settings are there to ask.
	Wanted func(s Settings, e Event) bool
	// Request writes the question; now is part of its signature.
	Request func(s Settings, e Event, now time.Time) (Request, error)
	// Read adds the answer to the event: its tours, and the details to its
	// Data. An error says what was wrong with the answer.
	Read func(e Event, status int, body []byte) (Event, error)
}

// Lists asks a platform's API for an account's channels and tours.
type Lists struct {
	// Ready says whether the settings are there to ask.
	Ready func(s Settings) bool
	// Requests writes the questions, of which the answers are one list together.
	Requests func(s Settings, kind ItemKind, now time.Time) ([]Request, error)
	// Read reads one answer, ids and names as they stand there. An error says
	// what was wrong with it.
	Read func(kind ItemKind, status int, body []byte) ([]Item, error)
}
