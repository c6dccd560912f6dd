package webhook

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// ErrNotFound says that this account has nothing with this id.
var ErrNotFound = errors.New("not found")

// ErrConflict says that somebody else changed it in the meantime, or that the
// same external id was received with different content.
var ErrConflict = errors.New("conflict")

// IDConflict is an [ErrConflict]: an event with this external id was received
// before with different content.
type IDConflict struct{ ExternalID string }

func (e IDConflict) Error() string { return "the id " + e.ExternalID + " was used for another event" }

// Unwrap makes it an ErrConflict.
func (e IDConflict) Unwrap() error { return ErrConflict }

// ErrLimit says that the account has as many of something as it may have, or did
// something as often as it may.
var ErrLimit = errors.New("limit reached")

// LimitReached is an [ErrLimit]: which limit, and how far the account is over it.
// No limit refuses an event.
type LimitReached struct {
	What  Limited
	Limit int
	Used  int           // before the change that was refused
	Over  int           // by how many the change would exceed the limit
	Wait  time.Duration // until it may be repeated; zero if time alone does not help
}

func (e LimitReached) Error() string {
	return fmt.Sprintf("limit of %s reached: %d of %d, %d too many", e.What, e.Used, e.Limit, e.Over)
}

// Unwrap makes it an ErrLimit.
func (e LimitReached) Unwrap() error { return ErrLimit }

// ErrOff says that the webhook is off, so that nothing is sent to it.
var ErrOff = errors.New("the webhook is off")

// ErrBusy says that more is received than can be stored; try again shortly.
var ErrBusy = errors.New("busy")

// ErrStale says that the subscriptions of a [Plan] have changed since it was
// made, and that nothing of it was stored. Make a new plan.
var ErrStale = errors.New("the webhooks of the account have changed")

// ErrNotHeld says that another replica holds the shard of the account, or none, and
// that nothing was changed.
var ErrNotHeld = errors.New("this replica does not hold the account")

// Unavailable says that the database cannot be used right now, and that nothing
// of the request was stored, or that this is not known. It works again once the cause is
// gone.
type Unavailable struct {
	Message Message // why, for the client
	Unknown bool    // the request may have been stored all the same
	Cause   error
}

func (e Unavailable) Error() string { return e.Cause.Error() }

// Unwrap returns the cause.
func (e Unavailable) Unwrap() error { return e.Cause }

// Invalid says what is wrong with each field of an input. Keys are field names
// as in the JSON API.
type Invalid map[string]Message

// Error lists all fields, in order of their names, for a log.
func (v Invalid) Error() string {
	parts := make([]string, 0, len(v))
	for _, field := range slices.Sorted(maps.Keys(v)) {
		parts = append(parts, field+": "+v[field].Error())
	}
	return strings.Join(parts, "; ")
}

// Add adds a problem of a field; only the first problem of a field is kept.
func (v Invalid) Add(field, code string, args ...any) { v.AddMessage(field, NewMessage(code, args...)) }

// AddMessage is Add with a message; the zero message is ignored.
func (v Invalid) AddMessage(field string, problem Message) {
	if _, ok := v[field]; !ok && !problem.IsZero() {
		v[field] = problem
	}
}

// Merge adds all problems of another Invalid.
func (v Invalid) Merge(other Invalid) {
	for field, problem := range other {
		v.AddMessage(field, problem)
	}
}

// Err returns v as an error, or nil when nothing is wrong.
func (v Invalid) Err() error {
	if len(v) == 0 {
		return nil
	}
	return v
}
