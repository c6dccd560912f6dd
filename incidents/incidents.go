package incidents

import (
	"strings"
	"time"

	"bookhook/webhook"
)

// Kind is what an incident is about. The texts are stored.
type Kind string

// The kinds.
const (
	Outage      Kind = "outage"      // a webhook does not accept deliveries, or Bookhook switched it off
	Certificate Kind = "certificate" // that of a webhook's receiver ends soon
	Rejected    Kind = "rejected"    // requests at the address for a platform
	Silence     Kind = "silence"     // of a platform or a channel that usually sends something by now
	Disk        Kind = "disk"        // of the instance: nearly full
	Backup      Kind = "backup"      // of the instance: overdue
)

// AccountKinds and InstanceKinds are all kinds, in the order in which people see them.
var (
	AccountKinds  = []Kind{Outage, Silence, Rejected, Certificate}
	InstanceKinds = []Kind{Disk, Backup}
)

// settles is for how long a second incident within repeatedAfter must be over until
// people are notified of its end: what comes and goes is one long incident.
var settles = map[Kind]time.Duration{
	Outage: 15 * time.Minute, Certificate: time.Hour, Rejected: 6 * time.Hour, Silence: 2 * time.Hour, Disk: time.Hour, Backup: time.Hour,
}

// Remembered is for how long an incident that ended makes another one of the same kind
// and subject a repeated one.
const Remembered = 24 * time.Hour

// Stage is how far an incident has come. People are notified of each once.
type Stage int

// The stages. Only an outage has more than the first.
const (
	NoStage       Stage = iota // not enough for an incident
	Begun                      // a webhook is failing
	SwitchOffNear              // within webhook.SwitchOffWarning
	SwitchedOff                // by Bookhook
)

// Key says what an incident is about; only one of a key is open at a time.
type Key struct {
	Account webhook.AccountID // 0: of the instance
	Kind    Kind
	Subject string // the id of a webhook, or a platform, or one and the id of a channel with a slash between; "" of the instance
}

// Outcome is how an incident ended.
type Outcome string

// The outcomes.
const (
	Recovered   Outcome = "recovered"
	SwitchedOn  Outcome = "on"      // after Bookhook switched it off
	OffByPerson Outcome = "off"     // a person switched the webhook off
	Deleted     Outcome = "deleted" // the webhook
	Quiet       Outcome = "quiet"   // no more rejected requests
)

// Platform returns the platform and the channel that an incident is about; "" if none.
func (k Key) Platform() (platform, channel string) {
	if k.Kind == Rejected || k.Kind == Silence {
		platform, channel, _ = strings.Cut(k.Subject, "/")
	}
	return platform, channel
}

// Source names what is silent, by the names of its platform and of its channel ("": not
// known).
func (k Key) Source(platform, channel string) string {
	key, id := k.Platform()
	switch {
	case k.Subject == key:
		return platform
	case id == "":
		return platform + ", without a channel"
	case channel == "":
		return "channel " + id + " of " + platform
	}
	return channel + " (" + platform + ")"
}

// Webhook returns the webhook that an incident is about; 0 if none.
func (k Key) Webhook() webhook.WebhookID {
	id, err := webhook.ParseID[webhook.WebhookID](k.Subject)
	if err != nil {
		return 0
	}
	return id
}

// Details are what a message says, as of the last change of the incident.
type Details struct {
	Name    string    `json:"name,omitempty"`   // of the webhook
	Since   time.Time `json:"since,omitzero"`   // when it really began
	Ends    time.Time `json:"ends,omitzero"`    // of the certificate
	Free    uint64    `json:"free,omitempty"`   // bytes of the disk
	Usual   int64     `json:"usual,omitempty"`  // events that usually come from Since until now
	Events  int       `json:"events,omitempty"` // skipped while the webhook was off
	Outcome Outcome   `json:"outcome,omitempty"`
}

// Incident is something that is or was wrong.
type Incident struct {
	ID webhook.IncidentID
	Key
	Stage     Stage
	Details   Details
	OpenedAt  time.Time
	ClearedAt time.Time // since when it seems to be over; zero if it does not
	ClosedAt  time.Time // zero while it is open
}

// Began is when what is wrong really began, as far as that is known.
func (i Incident) Began() time.Time {
	if i.Details.Since.IsZero() {
		return i.OpenedAt
	}
	return i.Details.Since
}

// Condition is what is so now about something that may be wrong.
type Condition struct {
	Key
	Stage   Stage // NoStage if it is too little to open an incident; an open one goes on
	Over    bool
	Settled bool           // it is over, and nothing is left of it
	Missed  webhook.Missed // by the webhook while it was off last, maybe before this incident
	Details Details
}

// Change is a decision: the incident as it was (zero: there was none) and as it is now.
type Change struct {
	From, To Incident
	Tell     bool // people are notified
}

// Notice is how people and other systems are notified of a change.
type Notice struct {
	Mail  bool          // people are told by e-mail
	Event webhook.Event // for the webhooks of the account that select it; without a type there is none
}

// EventType is the type of Bookhook's own event that tells of the incident as it is now.
func (i Incident) EventType() string {
	begins := map[Kind]string{Outage: "webhook.failing", Silence: "platform.silent", Rejected: "requests.rejected", Certificate: "certificate.expiring"}
	switch {
	case i.Kind == Outage && !i.ClosedAt.IsZero():
		return "webhook.resolved"
	case i.Kind == Outage && i.Stage == SwitchOffNear:
		return "webhook.switch_off_near"
	case i.Kind == Outage && i.Stage == SwitchedOff:
		return "webhook.switched_off"
	case !i.ClosedAt.IsZero():
		return begins[i.Kind] + ".resolved"
	}
	return begins[i.Kind]
}

// Decide compares what is so at now with the incidents that are open or ended within
// Remembered, and returns what changes. What no condition is about is over.
//
// The first incident of something ends at once when nothing is left of it. One that
// begins again within Remembered ends only after it has been over for a while.
func Decide(now time.Time, conditions []Condition, known []Incident) (changes []Change) {
	now = now.UTC().Truncate(time.Millisecond)
	byKey := map[Key]Condition{}
	for _, c := range conditions {
		byKey[c.Key] = c
	}
	open, repeated := map[Key]bool{}, map[Key]bool{}
	for _, i := range known {
		if i.ClosedAt.IsZero() {
			open[i.Key] = true
		} else if now.Sub(i.ClosedAt) < Remembered {
			repeated[i.Key] = true
		}
	}
	for _, i := range known {
		if !i.ClosedAt.IsZero() {
			continue
		}
		c, found := byKey[i.Key]
		if !found {
			c = Condition{Key: i.Key, Over: true, Settled: true, Details: Details{Outcome: Recovered}}
			if i.Kind == Rejected {
				c.Details.Outcome = Quiet
			}
		}
		if change := i.after(c, repeated[i.Key], now); change.To != i {
			changes = append(changes, change)
		}
	}
	for _, c := range conditions {
		if c.Stage > NoStage && !open[c.Key] {
			open[c.Key] = true
			changes = append(changes, Change{To: Incident{Key: c.Key, Stage: c.Stage, Details: c.Details, OpenedAt: now}, Tell: true})
		}
	}
	return changes
}

// after returns the change of an open incident by what is so now, if any.
func (i Incident) after(c Condition, repeated bool, now time.Time) Change {
	to := i
	if !c.Over {
		to.ClearedAt = time.Time{}
		raised := c.Stage > i.Stage
		lowered := c.Stage < i.Stage && i.Stage == SwitchedOff // somebody switched it on, and it goes on failing
		if raised || lowered {
			to.Stage, to.Details = max(c.Stage, Begun), c.Details
		}
		return Change{i, to, raised}
	}
	if to.ClearedAt.IsZero() {
		to.ClearedAt = now
	}
	if c.Settled && !repeated || now.Sub(to.ClearedAt) >= settles[i.Kind] {
		to.ClosedAt = now
		to.Details.Outcome, to.Details.Events = c.Details.Outcome, 0
		if c.Missed.Until.After(i.Began()) {
			to.Details.Events = c.Missed.Events
		}
		if to.Details.Outcome == Recovered && i.Stage == SwitchedOff {
			to.Details.Outcome = SwitchedOn
		}
	}
	return Change{i, to, !to.ClosedAt.IsZero() && to.Details.Outcome != ""}
}
