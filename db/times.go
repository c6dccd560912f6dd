package db

import (
	"fmt"
	"time"
)

// toMillis writes a time as it is stored; the zero time is 0.
func toMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// fromMillis reads a stored time.
func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// roundMillis is a time as it is read again after it was stored: in milliseconds, UTC.
func roundMillis(t time.Time) time.Time { return fromMillis(toMillis(t)) }

// timeScanner scans a stored time.
type timeScanner struct{ to *time.Time }

// Scan reads a column of milliseconds.
func (s timeScanner) Scan(value any) error {
	v, ok := value.(int64)
	if !ok {
		return fmt.Errorf("a time is stored as %T", value)
	}
	*s.to = fromMillis(v)
	return nil
}

// boolInt is a boolean as it is stored.
func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
