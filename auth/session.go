package auth

import (
	"time"

	"bookhook/webhook"
)

// Session is the session of a browser, whose cookie has the session's id.
type Session struct {
	User      webhook.UserID // zero before the user has signed in
	Password  string         // the password hash with which the user signed in; only for AddSession
	Data      []byte
	ExpiresAt time.Time
}

// Grant is what an access token of a client permits.
type Grant struct {
	Client    webhook.Client
	Scope     string // the granted scopes, separated by spaces
	ExpiresAt time.Time
}

// MaxClientTokens is how many access tokens of a client are valid at once: a client
// that asks for one before each request would fill the database otherwise.
const MaxClientTokens = 1000
