package platforms

import (
	"net/http"
	"time"

	"bookhook/webhook"
)

// Inbound is a request of a booking platform to an account's address.
type Inbound struct {
	Method        string
	Query         string // as received, without the question mark
	ContentType   string
	Authorization string
	Body          []byte
	Settings      webhook.Settings // of the account for this platform
}

// Reading is what a platform's request says.
type Reading struct {
	Event webhook.Event // Type, ChannelID, BookingID, TourIDs, OccurredAt, Data and Wire
	// Identity is the platform's own id of the notification, by which a
	// redelivery is recognised; "" when it has none: then the same bytes are
	// the same notification.
	Identity string
	// Within is for how long the same notification is a redelivery; zero:
	// always. It is for platforms that send the same bytes for a new event, too.
	Within time.Duration
}

// Rejected is why a platform's request could not be taken as an event. It is
// kept in the account's list of rejected requests.
type Rejected struct {
	Status int             // of the answer
	Why    webhook.Message // for the operator: what is wrong and what to do
}

func (r Rejected) Error() string { return r.Why.Error() }

// BadRequest is a [Rejected] request whose content makes no sense.
func BadRequest(code string, args ...any) error {
	return Rejected{http.StatusBadRequest, webhook.NewMessage(code, args...)}
}

// BadSignature is a [Rejected] request that does not prove who sent it.
func BadSignature(code string, args ...any) error {
	return Rejected{http.StatusUnauthorized, webhook.NewMessage(code, args...)}
}

// BadType is a [Rejected] request of a content type that the platform does not
// send.
func BadType(code string, args ...any) error {
	return Rejected{http.StatusUnsupportedMediaType, webhook.NewMessage(code, args...)}
}

// UnknownEvent is a [Rejected] request with an event that is in no catalogue.
func UnknownEvent(code string, args ...any) error {
	return Rejected{http.StatusUnprocessableEntity, webhook.NewMessage(code, args...)}
}
