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

// Reading is what was read from a platform's request.
type Reading struct {
	Event webhook.Event // Type, ChannelID, BookingID, TourIDs, OccurredAt, Data and Wire
	// Identity is the platform's own id of the notification, by which a
	// redelivery is recognised. If it is "", a request with the same bytes is a
	// redelivery.
	Identity string
	// Account is the account that the request names, as the platform numbers accounts;
	// "" if it names none. Whose the event is, the address says.
	Account string
	// Within is for how long the same notification counts as a redelivery; zero:
	// always. It is for platforms that may send the same bytes for a new event.
	Within time.Duration
}

// Rejected is the error of a platform's request that cannot be read as an event.
// The request is kept in the account's list of rejected requests.
type Rejected struct {
	Status int             // of the response
	Why    webhook.Message // for the operator: what is wrong and what to do
}

func (r Rejected) Error() string { return r.Why.Error() }

// BadRequest returns [Rejected] for a request whose content is not valid.
func BadRequest(code string, args ...any) error {
	return Rejected{http.StatusBadRequest, webhook.NewMessage(code, args...)}
}

// BadSignature returns [Rejected] for a request that is not authenticated.
func BadSignature(code string, args ...any) error {
	return Rejected{http.StatusUnauthorized, webhook.NewMessage(code, args...)}
}

// BadType returns [Rejected] for a request with a content type that the platform
// does not send.
func BadType(code string, args ...any) error {
	return Rejected{http.StatusUnsupportedMediaType, webhook.NewMessage(code, args...)}
}

// UnknownEvent returns [Rejected] for a request with an event that is not in the
// platform's catalogue.
func UnknownEvent(code string, args ...any) error {
	return Rejected{http.StatusUnprocessableEntity, webhook.NewMessage(code, args...)}
}
