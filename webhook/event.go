package webhook

import (
	"crypto/sha256"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of an incoming event. An event beyond them is refused, never truncated.
const (
	MaxEventID   = 200     // characters of the sender's own id
	MaxEventKeys = 1000    // event types that a webhook's list may have
	MaxRefLength = 100     // characters of a channel, tour or booking id
	MaxTours     = 500     // tours in one booking
	MaxData      = 1 << 20 // bytes of data
	MaxBatch     = 500     // events in one batch
)

// Event is something that happened to a booking.
type Event struct {
	ID         EventID
	Account    AccountID
	ExternalID string   // the sender's id, unique in the account; "" when it gave none
	SameIDs    []string // other ids of the sender with which it would be the same event
	Platform   string   // key of the platform, such as "tourcms"
	Type       string   // key from the platform's catalogue, such as "cancelled"
	ChannelID  string   // "" when the event names no channel
	BookingID  string
	TourIDs    []string
	OccurredAt time.Time // as the sender says; zero when it did not
	ReceivedAt time.Time
	Data       []byte  // the sender's JSON, byte for byte; nil when there was none
	Test       bool    // created by "Send a test"
	Inbound    bool    // the platform itself sent it: Data, or Wire, are what it sent
	Wire       []byte  // what the platform sent, where that is not JSON; see the platform's package
	Lookup     bool    // the platform is asked about the booking before the event is matched
	Via        Via     // the Bookhooks that it came through; "" when it came from none
	Note       Message // what went wrong before the match; zero when nothing did
}

// Key returns the key by which webhooks select the event: the type, with the
// platform before it for every platform but TourCMS.
func (e Event) Key() string { return EventKey(e.Platform, e.Type) }

// EventKey joins platform and type into a key of a webhook's events.
func EventKey(platform, eventType string) string {
	if platform == DefaultPlatform {
		return eventType
	}
	return platform + ":" + eventType
}

// SplitEventKey splits what [EventKey] joined.
func SplitEventKey(key string) (platform, eventType string) {
	if platform, eventType, found := strings.Cut(key, ":"); found {
		return platform, eventType
	}
	return DefaultPlatform, key
}

// OwnPlatform is the platform of Bookhook's own events: notices about webhooks and
// platforms, not about a booking. They are sent only to who selects them by name, on
// any channel and for any tour.
const OwnPlatform = "bookhook"

// DefaultPlatform is the platform of an event that names none.
const DefaultPlatform = "tourcms"

// Digest returns a hash of the content, by which a second event with the same
// external id is recognised as the same event. White space between the tokens of
// its JSON does not count.
func (e Event) Digest() [sha256.Size]byte {
	at := ""
	if !e.OccurredAt.IsZero() { // as text: UnixNano overflows
		at = e.OccurredAt.UTC().Format(time.RFC3339Nano)
	}
	// Five parts, the tours, the data: only the tours vary in number, and each
	// part follows its length, so no two events give the same bytes.
	data := compactJSON(e.Data)
	head := make([]byte, 0, 256)
	for _, part := range slices.Concat([]string{e.Platform, e.Type, e.ChannelID, e.BookingID, at}, e.TourIDs) {
		head = append(appendLength(head, len(part)), part...)
	}
	hash := sha256.New()
	hash.Write(appendLength(head, len(data)))
	hash.Write(data)
	return [sha256.Size]byte(hash.Sum(nil))
}

func appendLength(text []byte, n int) []byte {
	return append(strconv.AppendInt(text, int64(n), 10), ':')
}

// At returns when the event happened, or if the sender did not say, when it was
// received.
func (e Event) At() time.Time {
	if e.OccurredAt.IsZero() {
		return e.ReceivedAt
	}
	return e.OccurredAt
}

// Accepted is the result of storing one incoming event.
type Accepted struct {
	Event     Event
	Decisions []Decision  // one for every webhook of the account, in the order they were made
	Duplicate bool        // the external id was known; nothing was delivered again
	Jobs      []Job       // the deliveries that were claimed while they were inserted
	Waiting   []WebhookID // webhooks with a delivery that was not claimed and is due now
}

// Prefixes of the external ids that Bookhook creates itself. Senders may not use
// them, so that an id of theirs never equals one of these.
const (
	InboundPrefix = "in:"     // of a notification that a platform sent
	InlinePrefix  = "inline:" // of an inline call, which may have the same id as the event that follows it
)

// CheckSentID says what is wrong with an external id that a sender chose; zero
// when nothing is.
func CheckSentID(id string) Message {
	for _, prefix := range []string{InboundPrefix, InlinePrefix} {
		if strings.HasPrefix(id, prefix) {
			return NewMessage("event.id_reserved", prefix)
		}
	}
	return CheckExternalID(id)
}

// CheckExternalID says what is wrong with the external id of an event; zero when
// nothing is.
func CheckExternalID(id string) Message {
	if utf8.RuneCountInString(id) > MaxEventID || !utf8.ValidString(id) || strings.ContainsFunc(id, unicode.IsControl) {
		return NewMessage("event.id", MaxEventID)
	}
	return Message{}
}
