package webhook

import "time"

// Warnings are what ordinary attempts show of a receiver before it makes them fail.
type Warnings struct {
	CertificateEnds time.Time     `json:"certificate_ends,omitzero"` // when it is within CertificateWarning of the last attempt
	MovedTo         string        `json:"moved_to,omitempty"`        // where the receiver says that it is for good
	SlowAt          time.Time     `json:"slow_at,omitzero"`          // of an answer that took more than half of the time limit; at most one an hour
	Slow            time.Duration `json:"slow,omitempty"`            // how long that took
}

// When warnings begin and end.
const (
	CertificateWarning = 30 * 24 * time.Hour
	SlowWarning        = 24 * time.Hour // after the last slow answer

	slowPause = time.Hour
	maxMoved  = 2000 // characters
)

// Sighting is what an attempt shows of its receiver.
type Sighting struct {
	Attempt         Attempt
	CertificateEnds time.Time     // of the connection; zero without TLS
	Limit           time.Duration // that the answer had
	Now             time.Time
}

// After returns the warnings after an attempt. They are the same, so that nothing has
// to be stored, unless something begins or ends. An attempt without an answer shows
// nothing.
func (w Warnings) After(s Sighting) Warnings {
	a := s.Attempt
	if a.Status == 0 {
		return w
	}
	w.CertificateEnds = time.Time{}
	if ends := s.CertificateEnds; !ends.IsZero() && ends.Before(s.Now.Add(CertificateWarning)) {
		w.CertificateEnds = ends.UTC().Truncate(time.Second)
	}
	switch {
	case a.Failure == "":
		w.MovedTo = ""
	case a.Failure == FailRedirect && (a.Status == 301 || a.Status == 308):
		w.MovedTo = Truncate(a.ResponseHeaders.Get("Location"), maxMoved)
	}
	if a.Duration > s.Limit/2 && s.Now.Sub(w.SlowAt) >= slowPause {
		w.SlowAt, w.Slow = s.Now.UTC().Truncate(time.Second), a.Duration.Round(time.Millisecond)
	}
	return w
}

// IsSlow reports whether the receiver was slow lately.
func (w Warnings) IsSlow(now time.Time) bool {
	return !w.SlowAt.IsZero() && now.Sub(w.SlowAt) < SlowWarning
}
