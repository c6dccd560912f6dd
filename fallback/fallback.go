package fallback

import (
	"time"

	"bookhook/incidents"
	"bookhook/webhook"
)

// Every is how long at least after a message the next one lists more.
const Every = time.Hour

// Term is how long the link works that confirms an address.
const Term = 7 * 24 * time.Hour

// before is how long a delivery may have been waiting when its webhook began to fail.
const before = time.Hour

// settle is how old a delivery is when it is listed: those that are being stored have
// their ids already, and must not be passed over.
const settle = 10 * time.Second

// Fallback is where the bookings of a webhook go while it fails, and how far that is.
type Fallback struct {
	Webhook     webhook.WebhookID
	Account     webhook.AccountID
	Address     string // lower case
	Guests      bool   // names and contact data of guests, too
	SetBy       string
	SetAt       time.Time
	ExpiresAt   time.Time         // of the link that confirms the address
	ConfirmedAt time.Time         // zero: nothing is sent
	StoppedAt   time.Time         // by who gets the messages, since when the address is to be confirmed again; zero: never
	LinkState   webhook.MailState // of the message with the link; "" if that is no longer known
	Problem     webhook.Message   // of the last attempt to send the last message

	Incident webhook.IncidentID // that messages are about; 0: none
	Since    time.Time          // what was created from then on is in the messages about it
	QueuedAt time.Time          // when the last list was queued, also for an earlier incident
	Listed   time.Time          // what was created before was in a message that was sent
	Sending  bool               // the last list is still to be sent
}

// Reason says why a message is the last one. The texts are stored.
type Reason string

// The reasons.
const (
	Over    Reason = "over"    // the outage
	Deleted Reason = "deleted" // the webhook
	Removed Reason = "removed" // another address was chosen, or none
)

// Mail says what a message is about. It lists what was created from From until Until and
// has not arrived, or, if it is the last one, what became of that.
type Mail struct {
	Webhook  webhook.WebhookID  `json:"webhook"`
	Incident webhook.IncidentID `json:"incident"`
	From     time.Time          `json:"from"`
	Until    time.Time          `json:"until"`
	Began    time.Time          `json:"-"` // of the incident: what ended before belongs to an earlier one
	Last     Reason             `json:"last,omitempty"`
}

// Empty reports whether a message lists nothing, so that it is not sent.
func (m Mail) Empty() bool { return !m.From.Before(m.Until) }

// Next returns the message that is due at now, if any; open is the outage of the webhook
// that is open, if any. While a message is still to be sent, no other is due: what it
// lists is known when it was sent.
func (f Fallback) Next(open incidents.Incident, now time.Time) (m Mail, due bool) {
	now = now.UTC().Truncate(time.Millisecond)
	switch {
	case f.ConfirmedAt.IsZero() || f.Sending:
		return Mail{}, false
	case f.Incident != 0 && f.Incident != open.ID:
		return f.LastMail(Over), true
	case open.ID == 0 || !open.ClearedAt.IsZero() || now.Sub(f.QueuedAt) < Every:
		return Mail{}, false
	}
	m = Mail{Webhook: f.Webhook, Incident: open.ID, From: latest(f.Since, f.Listed), Until: now.Add(-settle), Began: open.Began()}
	if f.Incident == 0 {
		m.From = latest(open.Began().Add(-before), f.Listed)
	}
	return m, !m.Empty()
}

// LastMail returns the message that ends those about an incident; it is empty if nothing
// was listed.
func (f Fallback) LastMail(why Reason) Mail {
	return Mail{Webhook: f.Webhook, Incident: f.Incident, From: f.Since, Until: f.Listed, Last: why}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
