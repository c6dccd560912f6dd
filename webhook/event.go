package webhook

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of an incoming event. Longer ones are refused, never cut.
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
	ID         ID
	Account    ID
	ExternalID string // the sender's id, unique in the account; "" when it gave none
	Platform   string // key of the platform, such as "tourcms"
	Type       string // key from the platform's catalogue, such as "cancelled"
	ChannelID  string // "" when the event names no channel
	BookingID  string
	TourIDs    []string
	OccurredAt time.Time // as the sender says; zero when it did not
	ReceivedAt time.Time
	Data       []byte // the sender's JSON, byte for byte; nil when there was none
	Test       bool   // made by "Send a test"
	Inbound    bool   // the platform itself sent it: Data, or Wire, are what it sent
	Wire       []byte // what the platform sent, where that is not JSON; see the platform's package
	Lookup     bool   // the platform is asked about the booking before the event is matched
	Note       string // what went wrong before the match, in words; "" when nothing did
}

// Ref is the event's id as shown.
func (e Event) Ref() string { return e.ID.Text(EventPrefix) }

// Key is what a webhook's selection names: the type, with the platform before
// it for every platform but TourCMS.
func (e Event) Key() string { return EventKey(e.Platform, e.Type) }

// EventKey joins platform and type as they are written in a webhook's events.
func EventKey(platform, eventType string) string {
	if platform == DefaultPlatform {
		return eventType
	}
	return platform + ":" + eventType
}

// SplitEventKey takes apart what [EventKey] joined.
func SplitEventKey(key string) (platform, eventType string) {
	if platform, eventType, found := strings.Cut(key, ":"); found {
		return platform, eventType
	}
	return DefaultPlatform, key
}

// DefaultPlatform is the platform of an event that names none.
const DefaultPlatform = "tourcms"

// Digest tells whether a second event with the same external id is the same
// event: equal content gives an equal digest, whatever its white space.
func (e Event) Digest() [sha256.Size]byte {
	at := ""
	if !e.OccurredAt.IsZero() { // every year has its own text; UnixNano comes round
		at = e.OccurredAt.UTC().Format(time.RFC3339Nano)
	}
	// Five parts, the tours, the data: only the tours vary in number, and each
	// part stands behind its length, so no two events give the same bytes.
	data := compact(e.Data)
	text := make([]byte, 0, len(data)+256)
	for _, part := range slices.Concat([]string{e.Platform, e.Type, e.ChannelID, e.BookingID, at}, e.TourIDs) {
		text = append(appendLength(text, len(part)), part...)
	}
	return sha256.Sum256(append(appendLength(text, len(data)), data...))
}

func appendLength(text []byte, n int) []byte {
	return append(strconv.AppendInt(text, int64(n), 10), ':')
}

// compact leaves out the white space around the tokens of a JSON object or
// list; other data lose only what stands around them.
func compact(data []byte) []byte {
	const space = " \t\r\n"
	text := bytes.TrimSpace(data)
	if len(text) == 0 || text[0] != '{' && text[0] != '[' || !bytes.ContainsAny(text, space) {
		return text
	}
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		between, rest, _ := bytes.Cut(text, []byte{'"'})
		for part := range bytes.FieldsSeq(between) {
			out = append(out, part...)
		}
		end := quoteEnd(rest)
		out = append(out, text[len(between):len(text)-len(rest)+end]...)
		text = rest[end:]
	}
	return out
}

// quoteEnd is how many bytes a JSON string takes from behind its first quote
// on, the last one included.
func quoteEnd(text []byte) int {
	for end := 0; ; {
		i := bytes.IndexByte(text[end:], '"')
		if i < 0 {
			return len(text)
		}
		end += i + 1
		escapes := end - 1 - len(bytes.TrimRight(text[:end-1], `\`))
		if escapes%2 == 0 {
			return end
		}
	}
}

// At is when it happened, or came in when the sender did not say.
func (e Event) At() time.Time {
	if e.OccurredAt.IsZero() {
		return e.ReceivedAt
	}
	return e.OccurredAt
}

// standardBody is the body of the standard format, in the order of its keys.
type standardBody struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	Platform  string          `json:"platform"`
	AccountID string          `json:"account_id"`
	ChannelID string          `json:"channel_id"`
	TourIDs   []string        `json:"tour_ids"`
	BookingID string          `json:"booking_id"`
	Timestamp string          `json:"timestamp"`
	Test      bool            `json:"test,omitempty"`
	Booking   *Booking        `json:"booking,omitempty"`
	Data      json.RawMessage `json:"data"`
}

// StandardBody writes the event as the signed JSON that every receiver of the
// standard format gets; its timestamp is [Event.At]. Data stands in it as it came,
// byte for byte; booking is what they say in words that all platforms share, nil
// when nothing.
func (e Event) StandardBody(accountNumber int64, booking *Booking) []byte {
	tours := e.TourIDs
	if tours == nil {
		tours = []string{}
	}
	head := EncodeJSON(standardBody{
		ID: e.Ref(), Type: e.Type, Platform: e.Platform,
		AccountID: strconv.FormatInt(accountNumber, 10), ChannelID: e.ChannelID,
		TourIDs: tours, BookingID: e.BookingID,
		Timestamp: e.At().UTC().Format(time.RFC3339Nano), Test: e.Test, Booking: booking, Data: json.RawMessage("0"),
	})
	data := e.Data
	if len(data) == 0 {
		data = []byte("null")
	}
	start := bytes.TrimSuffix(head, []byte("0}"))
	return slices.Concat(start, data, []byte("}"))
}

// Accepted is what became of one incoming event.
type Accepted struct {
	Event     Event
	Decisions []Decision // one for every webhook of the account, in the order they were made
	Duplicate bool       // the external id was known; nothing was delivered again
	Jobs      []Job      // the deliveries that were claimed while they were inserted
	Waiting   []ID       // webhooks with a delivery that was not claimed and is due now
}
