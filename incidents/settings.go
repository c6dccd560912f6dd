package incidents

import (
	"slices"
	"time"

	"bookhook/webhook"
)

// Settings are what a person wants to be told by e-mail, and when.
type Settings struct {
	Mail  bool   // anything at all
	Muted []Kind // but not these
	Quiet Hours  // in which messages wait
}

// DefaultSettings are those of who has chosen none: operators and administrators are
// told everything at once, staff nothing.
func DefaultSettings(r webhook.Role) Settings { return Settings{Mail: r.CanConfigure()} }

// Wants reports whether the person is notified of incidents of a kind.
func (s Settings) Wants(k Kind) bool { return s.Mail && !slices.Contains(s.Muted, k) }

// KindsFor returns the kinds that a user can be told of.
func KindsFor(u webhook.User) (kinds []Kind) {
	if u.Account != 0 {
		kinds = append(kinds, AccountKinds...)
	}
	if u.Role == webhook.RoleAdmin {
		kinds = append(kinds, InstanceKinds...)
	}
	return kinds
}

// Mail says what a message in the outbox is about.
type Mail struct {
	Incident webhook.IncidentID `json:"incident"`
	Stage    Stage              `json:"stage"`
	End      bool               `json:"end,omitempty"`
	Kind     Kind               `json:"kind,omitempty"`
	Last     bool               `json:"last,omitempty"`      // of this day: there may be more incidents
	LastKind bool               `json:"last_kind,omitempty"` // of this kind of this day
}

// Overtaken reports whether a message says nothing that a later one about the incident
// does not say better: it waited for so long.
func (m Mail) Overtaken(i Incident) bool {
	return !m.End && (!i.ClosedAt.IsZero() || m.Stage != i.Stage)
}

// Bounds of the messages about incidents that a person gets within 24 hours, about the
// account and, apart from those, about the instance. The last of them says that there may
// be more. On a holiday all channels are silent, and a webhook may fail.
const (
	MailsPerDay        = 20
	SilenceMailsPerDay = MailsPerDay / 2 // of them
)

// After returns the message as it is sent to somebody who got others within 24 hours, or
// reports that it is not sent.
func (m Mail) After(others []Mail) (Mail, bool) {
	silences := 0
	for _, other := range others {
		if other.Kind == Silence {
			silences++
		}
	}
	m.Last = len(others) == MailsPerDay-1
	m.LastKind = m.Kind == Silence && silences == SilenceMailsPerDay-1
	return m, len(others) < MailsPerDay && (m.Kind != Silence || silences < SilenceMailsPerDay)
}

// Hours are a part of each day, from an hour to another, which may be on the next day.
// Equal hours are none.
type Hours struct{ From, Until int }

// None reports whether there are no such hours.
func (h Hours) None() bool { return h.From == h.Until }

// contains reports whether a time is within the hours, by the clock of its location.
func (h Hours) contains(t time.Time) bool {
	hour := t.Hour()
	if h.From < h.Until {
		return h.From <= hour && hour < h.Until
	}
	return !h.None() && (hour >= h.From || hour < h.Until)
}

// End returns now, or when the hours end that now is in. It looks at the clock quarter
// by quarter, since clocks are changed, and not by whole hours everywhere.
func (h Hours) End(now time.Time, loc *time.Location) time.Time {
	const quarter = 15 * time.Minute
	t := now.In(loc)
	for h.contains(t) {
		t = t.Truncate(quarter).Add(quarter)
	}
	return t.UTC()
}
