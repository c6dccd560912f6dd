package webhook

import "time"

// Health is what Bookhook recorded about a webhook's attempts.
type Health struct {
	FailingSince time.Time // first failure since the last success; zero if there is none
	FailedAt     time.Time // the last failure since then; zero if there is none
	OffAt        time.Time // when it was switched off; zero while it is on
	OffReason    OffReason
	OffBy        string    // who switched it off; "" while it is on
	OnAt         time.Time // when it was switched on again; zero once an attempt has ended since
	Skipped      int       // events skipped since it was switched off
	Missed       Missed    // while it was off last
}

// Missed is what a webhook did not receive while it was off, until it was switched on.
type Missed struct {
	Since, Until time.Time
	Events       int
}

// OffReason is why a webhook is off.
type OffReason string

// The reasons of being off.
const (
	OffByUser  OffReason = "user"
	OffGone    OffReason = "gone"    // the receiver answered 410
	OffFailing OffReason = "failing" // nothing but failures for FailingLimit
)

// FailingLimit is how long a webhook may fail without a single success before
// it is switched off. It is never deleted.
const FailingLimit = 5 * 24 * time.Hour

// FailingGap is how far apart two failures may be and still count as one outage:
// twice the longest pause between two attempts. A webhook that receives little is
// not switched off because of one failure now and one last month.
const FailingGap = 48 * time.Hour

// FailingAfter is for how long every attempt must have failed until a webhook counts as
// failing: one failure is no alarm.
const FailingAfter = time.Minute

// Failing reports whether every attempt of a while has failed.
func (h Health) Failing() bool {
	return !h.FailingSince.IsZero() && h.FailedAt.Sub(h.FailingSince) >= FailingAfter
}

// SwitchOffWarning is how long before a failing webhook is switched off everybody is
// warned.
const SwitchOffWarning = 24 * time.Hour

// SwitchOffNear reports whether a failing webhook will be switched off soon: by a
// failure that still belongs to this outage.
func (w *Webhook) SwitchOffNear(now time.Time) bool {
	at := w.SwitchOffAt()
	return !at.IsZero() && w.Failing() && w.OffAt.IsZero() && at.Before(now.Add(SwitchOffWarning)) && !w.FailedAt.Before(now.Add(-FailingGap))
}

// Status is how a webhook is doing, in a word.
type Status string

// The statuses.
const (
	StatusHealthy    Status = "healthy"
	StatusUnreliable Status = "unreliable" // it accepts some deliveries, and not many others
	StatusFailing    Status = "failing"    // every attempt of a while has failed
	StatusPaused     Status = "paused"     // after many failures in a row it is called now and then only
	StatusStopped    Status = "stopped"    // Bookhook switched it off
	StatusOff        Status = "off"        // a person switched it off
	StatusUnused     Status = "unused"     // it never had a delivery
	StatusUntried    Status = "untried"    // nothing was sent since it was switched on again
)

// Activity is what a webhook did lately.
type Activity struct {
	Used     bool // it has a delivery
	Failures Failures
}

// Status returns how the webhook is doing.
func (w *Webhook) Status(a Activity) Status {
	switch {
	case !w.Enabled && w.OffReason != OffByUser:
		return StatusStopped
	case !w.Enabled:
		return StatusOff
	case w.Circuit.Open():
		return StatusPaused
	case w.Failing():
		return StatusFailing
	case !a.Used:
		return StatusUnused
	case !w.OnAt.IsZero():
		return StatusUntried
	case a.Failures.many():
		return StatusUnreliable
	}
	return StatusHealthy
}

// Failures says how many of the newest deliveries that were attempted have failed so
// far.
type Failures struct{ Failed, Of int }

// many reports whether at least half of not too few failed.
func (f Failures) many() bool { return f.Of >= LatestCounted && f.Failed >= (f.Of+1)/2 }

// Limits of Failures.
const (
	LatestCounted = 10   // that say how a webhook is doing now
	RecentCounted = 100  // that say how an outage is going
	RecentScanned = 1000 // of which some may not have been attempted yet
)

// NeedsAttention reports whether bookings do not arrive although nobody wanted that.
func (s Status) NeedsAttention() bool {
	return s == StatusFailing || s == StatusPaused || s == StatusStopped
}

// SkipsWhileOff reports whether a person switched the webhook off, and events have been
// skipped since.
func (h Health) SkipsWhileOff() bool { return h.OffReason == OffByUser && h.Skipped > 0 }

// SwitchOffAt returns when a failing webhook will be switched off; zero if it is
// not failing, or synchronous: bookings would be accepted without asking it.
func (w *Webhook) SwitchOffAt() time.Time {
	if w.Kind == Inline || w.FailingSince.IsZero() {
		return time.Time{}
	}
	return w.FailingSince.Add(FailingLimit)
}

// AfterFailure returns the health after an attempt failed at now. A failure more
// than FailingGap after the last one starts a new outage.
func (h Health) AfterFailure(now time.Time) Health {
	if h.FailingSince.IsZero() || h.FailedAt.Before(now.Add(-FailingGap)) {
		h.FailingSince = now
	}
	h.FailedAt, h.OnAt = now, time.Time{}
	return h
}

// SwitchOff returns why a webhook of this health is to be switched off after a
// failure at now: its receiver is gone (it answered 410), or it has failed for
// FailingLimit without a success. It returns "" if the webhook stays on, or is
// off already.
func (h Health) SwitchOff(now time.Time, gone bool) OffReason {
	switch {
	case !h.OffAt.IsZero():
		return ""
	case gone:
		return OffGone
	case !h.FailingSince.IsZero() && !now.Before(h.FailingSince.Add(FailingLimit)):
		return OffFailing
	}
	return ""
}

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
