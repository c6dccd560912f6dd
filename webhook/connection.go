package webhook

import (
	"crypto/rand"
	"strings"
	"time"
)

// Connection is an account's use of a booking platform: whether it is on, the
// address to which the platform sends its events, and what Bookhook has to know
// about the account there.
type Connection struct {
	Account    AccountID
	Platform   string
	Enabled    bool
	Token      string    // the last part of the address
	OldToken   string    // the one before, "" unless it was rotated
	OldUntil   time.Time // until when OldToken is accepted too
	ReceivedAt time.Time // when the last request was received, to some ten seconds; zero when none was
	RejectedAt time.Time // when one was rejected, to some ten seconds; zero when one was accepted since
	Named      string    // the account that the last event named, as the platform numbers accounts; "" if it named none
	Settings   Settings
}

// Settings are what Bookhook has to know about an account on a platform, by the
// keys of the platform's settings; an empty one is absent.
type Settings map[string]string

// AddressOverlap is how long the old address still receives events after a new
// one was created.
const AddressOverlap = 7 * 24 * time.Hour

// NewAddressToken creates the last part of an address: 26 random characters.
func NewAddressToken() string { return strings.ToLower(rand.Text()) }

// Path returns the address without scheme and host.
func (c Connection) Path() string { return "/in/" + c.Platform + "/" + c.Token }

// MaxSetting is how long a setting may be, in characters.
const MaxSetting = 500

// Limits of the list of rejected requests.
const (
	MaxRejectedBody = 64 << 10 // bytes that are kept of a body
	KeepRejected    = 7 * 24 * time.Hour
	MaxRejected     = 1000 // the newest of an account that are kept
)

// RejectedRequest is a request to an account's address that could not be read
// as an event.
type RejectedRequest struct {
	ID          RejectedID
	Account     AccountID
	Platform    string
	Method      string
	Query       string
	ContentType string
	Body        []byte  // the first MaxRejectedBody bytes
	Truncated   bool    // there was more
	Status      int     // of the response
	Why         Message // for the operator: what is wrong and what to do
	Times       int     // how often the same request was received
	LastAt      time.Time
}

// PendingLookup is an event that waits, stored but not matched, until its
// platform has been asked about the booking.
type PendingLookup struct {
	Event    EventID
	Account  AccountID
	Platform string
	Booking  string
	Lookup   bool // false: it only waits for an earlier event of its booking
}
