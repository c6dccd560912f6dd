package webhook

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ErrNotFound: there is no such thing in this account.
var ErrNotFound = errors.New("not found")

// ErrConflict: the thing was changed by somebody else in the meantime, or the
// same external id came with another body.
var ErrConflict = errors.New("conflict")

// IDConflict is an [ErrConflict]: an event with this external id came in before
// with other content.
type IDConflict struct{ ExternalID string }

func (e IDConflict) Error() string { return "the id " + e.ExternalID + " was used for another event" }

// Unwrap makes it an ErrConflict.
func (e IDConflict) Unwrap() error { return ErrConflict }

// ErrLimit: the account has as many asynchronous webhooks as it may have.
var ErrLimit = errors.New("webhook limit reached")

// ErrBusy: more is coming in than can be kept; try again shortly.
var ErrBusy = errors.New("busy")

// Unavailable: the database cannot be used right now, and nothing of what was
// asked was stored. It works again once the cause is gone.
type Unavailable struct {
	What  string // one sentence on it for whoever asked
	Cause error
}

func (e Unavailable) Error() string { return e.Cause.Error() }

// Unwrap is the cause.
func (e Unavailable) Unwrap() error { return e.Cause }

// Invalid tells what is wrong with each field of an input, in words meant for
// the person who typed it. Keys are field names as in the JSON API.
type Invalid map[string]string

// Error lists all fields, in order of their names.
func (v Invalid) Error() string {
	parts := make([]string, 0, len(v))
	for _, field := range slices.Sorted(maps.Keys(v)) {
		parts = append(parts, field+": "+v[field])
	}
	return strings.Join(parts, "; ")
}

// Add notes a problem of a field; the first one of a field stands.
func (v Invalid) Add(field, format string, args ...any) {
	if _, ok := v[field]; !ok {
		v[field] = fmt.Sprintf(format, args...)
	}
}

// Merge adds all problems of another Invalid.
func (v Invalid) Merge(other Invalid) {
	for field, message := range other {
		v.Add(field, "%s", message)
	}
}

// Err returns v as an error, or nil when nothing is wrong.
func (v Invalid) Err() error {
	if len(v) == 0 {
		return nil
	}
	return v
}
