package webhook

import (
	"fmt"
	"slices"
	"time"
)

// Kind is the type of a webhook, step 1 of the wizard.
type Kind string

// The two kinds of TourCMS.
const (
	Async  Kind = "async"  // told after the booking is accepted
	Inline Kind = "inline" // asked before the booking is confirmed
)

// TypeStays says why a webhook cannot become one of the other kind.
const TypeStays = "The type of a webhook stays as it is. Make a new webhook of the other type, and delete this one."

// Format is how a delivery is written.
type Format string

// The formats.
const (
	Native   Format = "native"   // as the booking platform itself calls
	Standard Format = "standard" // signed JSON, the same for every platform
)

// Mode is how a filter reads its list.
type Mode string

// The modes: channels know all and include, tours all three.
const (
	All     Mode = "all"
	Include Mode = "include"
	Exclude Mode = "exclude"
)

// Filter selects by a list of ids, which [NewFilter] keeps sorted.
type Filter struct {
	Mode Mode     `json:"mode"`
	IDs  []string `json:"ids"`
}

// NewFilter returns a filter with sorted ids, each once; mode all has none.
func NewFilter(mode Mode, ids []string) Filter {
	if mode == All || mode == "" {
		return Filter{Mode: All, IDs: []string{}}
	}
	sorted := slices.Clone(ids)
	slices.Sort(sorted)
	return Filter{Mode: mode, IDs: slices.Compact(append([]string{}, sorted...))}
}

// AllEventsKey in a webhook's events stands for every event of every platform,
// those added later too.
const AllEventsKey = "*"

// Limits of a webhook.
const (
	MaxName            = 100  // characters
	MaxURL             = 2000 // characters
	MaxFilterIDs       = 10_000
	DefaultConcurrency = 8    // requests in flight to one webhook
	MaxConcurrency     = 256  // the most it may be set to
	MaxBasic           = 1000 // characters of an Authorization value
	DefaultTimeLimit   = 10   // seconds that an inline webhook has to answer
	MaxTimeLimit       = 25   // the most it may be set to
)

// Rate bounds how often a webhook is called: so many requests in a period,
// evenly spaced. The zero value is no bound.
type Rate struct {
	Requests int    `json:"requests"`
	Per      Period `json:"per"`
}

// Period is what a rate counts in.
type Period string

// The periods.
const (
	Second Period = "second"
	Minute Period = "minute"
)

// MaxRate is the most requests in a period that can be asked for.
const MaxRate = 1000

// Gap is the time from one request to the next, rounded up so that no period
// has one too many; zero without a bound.
func (r Rate) Gap() time.Duration {
	if r.Requests < 1 {
		return 0
	}
	period := time.Second
	if r.Per == Minute {
		period = time.Minute
	}
	n := time.Duration(r.Requests)
	return (period + n - 1) / n
}

// CheckRate says what is wrong with a bound; "" when nothing is.
func CheckRate(r Rate) string {
	switch {
	case r == Rate{}:
		return ""
	case r.Requests < 1 || r.Requests > MaxRate:
		return fmt.Sprintf("Write a number from 1 to %d, or leave it out for no limit.", MaxRate)
	case r.Per != Second && r.Per != Minute:
		return "Choose what the limit counts in: second or minute."
	}
	return ""
}

// Webhook is a subscription: a URL and the filters that say which events it is
// told of.
type Webhook struct {
	ID          ID
	Account     ID
	Name        string
	URL         string
	Kind        Kind
	Format      Format
	Events      []string // keys as [EventKey] writes them, or only AllEventsKey
	Channels    Filter
	Tours       Filter
	Enabled     bool
	Concurrency int
	Ordered     bool      // events of one booking go out one after another, in the order they were accepted
	Rate        Rate      // how often the URL is called at most
	Basic       string    // sent as "Authorization: Basic …" with each delivery; "" sends none
	Bare        bool      // Prioticket's native call leaves out what changed
	Email       string    // kept for clients of Prioticket's API; Bookhook sends no mail
	TimeLimit   int       // seconds that an inline webhook has to answer; 0 for an asynchronous one
	Secret      string    // whsec_…
	OldSecret   string    // the one before, "" unless it was rotated
	OldUntil    time.Time // until when OldSecret signs too
	CreatedAt   time.Time
	UpdatedAt   time.Time
	Health
}

// Health is what Bookhook itself noted about a webhook.
type Health struct {
	FailingSince time.Time // first failure since the last success; zero when all is well
	FailedAt     time.Time // the last failure; zero when there was none
	OffAt        time.Time // when it was switched off; zero while it is on
	OffReason    OffReason
	Skipped      int // events skipped since it was switched off
}

// OffReason says who switched a webhook off and why.
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

// FailingGap is how far apart two failures may lie and still be one trouble:
// twice the longest pause between two tries. A webhook that hears little is not
// switched off because of one failure now and one last month.
const FailingGap = 48 * time.Hour

// Ref is the webhook's id as shown.
func (w *Webhook) Ref() string { return w.ID.Text(WebhookPrefix) }

// AllEvents reports whether the webhook is told of every event.
func (w *Webhook) AllEvents() bool { return slices.Equal(w.Events, []string{AllEventsKey}) }

// SecretOverlap is how long the old secret goes on signing beside a new one.
const SecretOverlap = 24 * time.Hour

// Secrets lists the secrets that sign at now, the newest first.
func (w *Webhook) Secrets(now time.Time) []string {
	if w.OldSecret != "" && now.Before(w.OldUntil) {
		return []string{w.Secret, w.OldSecret}
	}
	return []string{w.Secret}
}

// SwitchOffAt is when a failing webhook will be switched off; zero when it is
// not failing.
func (h Health) SwitchOffAt() time.Time {
	if h.FailingSince.IsZero() {
		return time.Time{}
	}
	return h.FailingSince.Add(FailingLimit)
}

// Circuit is how a webhook's receiver is treated after failures in a row. It
// opens with the [CircuitFailures]th: then one delivery at a time is sent as a
// probe, after growing pauses, while the others wait uncharged. A success
// closes it at once.
type Circuit struct {
	Failures int       // attempts that failed since the last success
	ProbeAt  time.Time // while open: when the next probe may go; zero while closed
}

// CircuitFailures is how many failures in a row open the circuit.
const CircuitFailures = 10

// Open reports whether the circuit is open.
func (c Circuit) Open() bool { return !c.ProbeAt.IsZero() }

// Backlog is what waits for a webhook.
type Backlog struct {
	Waiting int       // pending deliveries, those that are held or on their way included; at most CountCap + 1
	Oldest  time.Time // when the oldest of them came in; zero when nothing waits
}
