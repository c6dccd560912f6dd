package stats

import (
	"time"

	"bookhook/webhook"
)

// AttemptKey is an hour of a webhook, of an account (Webhook is zero), or of the whole
// instance (both are).
type AttemptKey struct {
	Account webhook.AccountID
	Webhook webhook.WebhookID
	Hour    int64 // its start, in milliseconds
}

// EventKey is an hour of what an account receives from one channel, or of what the
// whole instance receives from a platform (Account is zero).
type EventKey struct {
	Account           webhook.AccountID
	Hour              int64 // its start, in milliseconds
	Platform, Channel string
}

// Hours are counts by hours: of the clock of the account, for the whole instance of UTC.
type Hours struct {
	Attempts map[AttemptKey]*Counts
	Events   map[EventKey]int64
	zone     func(webhook.AccountID) *time.Location
}

// NewHours returns empty counts for accounts in these time zones.
func NewHours(zone func(webhook.AccountID) *time.Location) *Hours {
	return &Hours{Attempts: map[AttemptKey]*Counts{}, Events: map[EventKey]int64{}, zone: zone}
}

// Attempt counts an attempt for its webhook, and if it is of a booking for its account and
// the instance.
func (h *Hours) Attempt(a Attempt) {
	hour, utc := h.hour(a.Account, a.StartedAt), Hour(a.StartedAt, time.UTC).UnixMilli()
	keys := []AttemptKey{{a.Account, a.Webhook, hour}, {a.Account, 0, hour}, {0, 0, utc}}
	if a.Own {
		keys = keys[:1]
	}
	for _, key := range keys {
		counts := h.Attempts[key]
		if counts == nil {
			counts = &Counts{}
			h.Attempts[key] = counts
		}
		counts.Count(a)
	}
}

// Event counts an event for its channel and the instance.
func (h *Hours) Event(e Event) {
	h.Events[EventKey{e.Account, h.hour(e.Account, e.ReceivedAt), e.Platform, e.Channel}]++
	h.Events[EventKey{0, Hour(e.ReceivedAt, time.UTC).UnixMilli(), e.Platform, ""}]++
}

// MaxChannels is how many channels of an account are counted in one hour: whoever has
// the address of a platform may send any. What comes from further ones counts as from none.
const MaxChannels = 1_000

// Bound counts so many channels at most for an account and hour, of which counted are
// the ones that are stored.
func (h *Hours) Bound(account webhook.AccountID, hour int64, counted map[EventKey]bool) {
	for key, events := range h.Events {
		if key.Account != account || key.Hour != hour || key.Channel == "" || counted[key] {
			continue
		}
		if len(counted) < MaxChannels {
			counted[key] = true
			continue
		}
		delete(h.Events, key)
		h.Events[EventKey{account, hour, key.Platform, ""}] += events
	}
}

func (h *Hours) hour(account webhook.AccountID, at time.Time) int64 {
	return Hour(at, h.zone(account)).UnixMilli()
}

// Len is the number of hours that are counted.
func (h *Hours) Len() int { return len(h.Attempts) + len(h.Events) }
