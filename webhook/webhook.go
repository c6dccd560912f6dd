package webhook

import "time"

// Webhook is a subscription: a URL and the filters that say which events it
// receives.
type Webhook struct {
	ID      WebhookID
	Account AccountID
	Config
	Enabled   bool
	Secret    string    // whsec_…
	OldSecret string    // the one before, "" unless it was rotated
	OldUntil  time.Time // until when OldSecret signs too
	// SecretShownAt is when a page was given Secret, to show it once; zero if only a
	// program got it.
	SecretShownAt time.Time
	SecretStored  Change // who said that the receiver has Secret, and when; zero while nobody has
	CreatedAt     time.Time
	CreatedBy     string // see Change.By; "" if it was created before this was recorded
	UpdatedAt     time.Time
	Circuit       Circuit
	Health
	Warnings Warnings
}

// SecretOverlap is how long the old secret still signs beside a new one.
const SecretOverlap = 24 * time.Hour

// Secrets lists the secrets that sign at now, the newest first.
func (w *Webhook) Secrets(now time.Time) []string {
	if w.OldSecret != "" && now.Before(w.OldUntil) {
		return []string{w.Secret, w.OldSecret}
	}
	return []string{w.Secret}
}

// SecretPending reports whether a person has yet to say that the receiver has the secret.
func (w *Webhook) SecretPending() bool {
	return !w.SecretShownAt.IsZero() && w.SecretStored.At.IsZero()
}

// KindFixed says that the kind of a webhook cannot be changed.
var KindFixed = NewMessage("type.stays")

// Circuit is how a webhook's receiver is treated after failures in a row. It
// opens after [CircuitFailures]: then one delivery at a time is sent as a probe,
// after growing pauses, while the others wait without losing attempts. A success
// closes it at once.
type Circuit struct {
	Failures int       // attempts that failed since the last success
	Pauses   int       // since it opened
	OpenedAt time.Time // when the current pause began
	ProbeAt  time.Time // while open: when the next probe may be sent; zero while closed
	Resets   int       // changes of the webhook that reset it: what was seen before one does not count after it
}

// CircuitFailures is how many failures in a row open the circuit.
const CircuitFailures = 10

// Open reports whether the circuit is open.
func (c Circuit) Open() bool { return !c.ProbeAt.IsZero() }

// Backlog is what is waiting for a webhook.
type Backlog struct {
	Waiting int       // pending deliveries, held ones and those in flight included; at most CountCap + 1
	Oldest  time.Time // when the oldest of them was created; zero when none is waiting
}

// Update is a change of a webhook by a person, written in one transaction.
type Update struct {
	Webhook *Webhook  // its ID and Account, and the Config to write
	Enabled *bool     // switch it on or off; nil leaves that as it is
	Base    time.Time // the UpdatedAt of the webhook that was edited: it must not have changed since; zero: whatever it is now
	Draft   *Draft    // the draft that the change comes from, which is removed; nil: none
}
