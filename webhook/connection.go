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
	Account    ID
	Platform   string
	Enabled    bool
	Token      string    // the last part of the address
	OldToken   string    // the one before, "" unless it was rotated
	OldUntil   time.Time // until when OldToken is taken too
	ReceivedAt time.Time // when something came in last, to some ten seconds; zero when nothing has
	Settings   Settings
}

// Settings are what an account tells Bookhook about itself on a platform, by the
// keys of the platform's [Setting] list; an empty one is not there.
type Settings map[string]string

// AddressOverlap is how long the old address goes on taking events beside a new
// one.
const AddressOverlap = 7 * 24 * time.Hour

// NewAddressToken makes the last part of an address: 26 characters that nobody
// guesses.
func NewAddressToken() string { return strings.ToLower(rand.Text()) }

// Path is the address without scheme and host.
func (c Connection) Path() string { return "/in/" + c.Platform + "/" + c.Token }

// Setting is one thing that a platform wants to know about an account.
type Setting struct {
	Key     string
	Label   string
	Hint    string                              // what it is for, and where to find it
	Secret  bool                                // never shown again
	Default string                              // what holds while it is empty, to be shown
	Check   func(value string) (problem string) // nil: anything up to MaxSetting characters
}

// MaxSetting is how long a setting may be, in characters.
const MaxSetting = 500

// Client is a program that manages webhooks through the Prioticket-compatible
// API; its secret is kept only as a hash.
type Client struct {
	ID        ID
	Account   ID
	Name      string
	CreatedAt time.Time
	UsedAt    time.Time // to the hour; zero when never used
}

// MaxClientTokens is how many access tokens of a client hold at once: a client
// that asks for one before every call must not fill the database.
const MaxClientTokens = 1000

// Ref is the client's id as shown, its client_id.
func (c Client) Ref() string { return c.ID.Text(ClientPrefix) }

// Grant is what an access token of a client is good for.
type Grant struct {
	Client    Client
	Scope     string // what was asked for and granted, separated by spaces
	ExpiresAt time.Time
}
