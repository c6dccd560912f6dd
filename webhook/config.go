package webhook

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Kind is the type of a webhook, step 1 of the wizard.
type Kind string

// The two kinds of TourCMS.
const (
	Async  Kind = "async"  // called after the booking is accepted
	Inline Kind = "inline" // called before the booking is confirmed
)

// Format is how a delivery is written.
type Format string

// The formats.
const (
	Native   Format = "native"   // as the booking platform itself calls
	Standard Format = "standard" // signed JSON, the same for every platform
)

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

// Config is what a person chooses about a webhook. It is part of [Webhook] and
// [Draft] and is stored as one JSON document. The tag step is the step of the wizard
// whose form has the field; one without it is in no form. README.md in this folder
// shows how an option is added.
type Config struct {
	Name         string   `json:"name" step:"name"`
	URL          string   `json:"url" step:"name"`
	Kind         Kind     `json:"kind" step:"type"`
	Format       Format   `json:"format" step:"name"`
	AllEvents    bool     `json:"all_events,omitempty" step:"events"` // of every platform, events added later included
	Events       []string `json:"events" step:"events"`               // keys as [EventKey] writes them
	Channels     Filter   `json:"channels" step:"channels"`
	Tours        Filter   `json:"tours" step:"tours"`
	Concurrency  int      `json:"concurrency" step:"type"`            // requests in flight at once
	Ordered      bool     `json:"ordered" step:"type"`                // events of one booking are delivered one after another, in the order they were accepted
	Rate         Rate     `json:"rate,omitzero" step:"type"`          // how often the URL is called at most
	Basic        string   `json:"basic,omitempty" step:"name"`        // sent as "Authorization: Basic …" with each delivery; "" sends none
	OmitPayload  bool     `json:"omit_payload,omitempty" step:"name"` // the native call leaves out what the event says, where the platform can
	ContactEmail string   `json:"contact_email,omitempty"`            // of whoever manages the webhook by a platform's own API; no mail is sent to it
	TimeLimit    int      `json:"time_limit,omitempty" step:"type"`   // seconds that an inline webhook has to answer; 0 for an asynchronous one
}

// NewConfig is a configuration with the given events selected and the defaults
// for everything else.
func NewConfig(events []string) Config {
	return Config{
		Kind: Async, Format: Native, Events: events, Channels: NewFilter(All, nil), Tours: NewFilter(All, nil),
		Concurrency: DefaultConcurrency, Ordered: true, TimeLimit: DefaultTimeLimit,
	}
}

// Clone returns a deep copy.
func (c Config) Clone() Config {
	c.Events = slices.Clone(c.Events)
	c.Channels, c.Tours = NewFilter(c.Channels.Mode, c.Channels.IDs), NewFilter(c.Tours.Mode, c.Tours.IDs)
	return c
}

// normalized returns the configuration as a webhook stores it: sorted, and
// without what was typed for the other kind or for another choice.
func (c Config) normalized() Config {
	c = c.Clone()
	c.Events = slices.Compact(slices.Sorted(slices.Values(c.Events)))
	if c.AllEvents {
		c.Events = nil
	}
	if c.Kind == Inline {
		defaults := NewConfig(nil)
		c.Format, c.Concurrency, c.Ordered, c.Rate = defaults.Format, defaults.Concurrency, defaults.Ordered, defaults.Rate
	} else {
		c.TimeLimit = 0
	}
	return c
}

// AllEventsKey is how the API writes that every event of every platform is
// selected.
const AllEventsKey = "*"

// EventKeys lists the selected events as the API writes them.
func (c Config) EventKeys() []string {
	if c.AllEvents {
		return []string{AllEventsKey}
	}
	return c.Events
}

// OnlyOwn reports whether only events of Bookhook's own are selected.
func (c Config) OnlyOwn() bool {
	return !c.AllEvents && len(c.Events) > 0 && !slices.ContainsFunc(c.Events, func(key string) bool {
		platform, _ := SplitEventKey(key)
		return platform != OwnPlatform
	})
}

// SelectEvents selects the events of a list as the API writes it.
func (c *Config) SelectEvents(keys []string) {
	c.AllEvents = slices.Equal(keys, []string{AllEventsKey})
	c.Events = keys
	if c.AllEvents {
		c.Events = nil
	}
}

// Mode is how a filter uses its list.
type Mode string

// The modes: channels can have all and include, tours all three.
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

// Rate bounds how often a webhook is called: so many requests in a period,
// evenly spaced. The zero value is no bound.
type Rate struct {
	Requests int    `json:"requests"`
	Per      Period `json:"per"`
}

// Period is the unit of a rate.
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

func (r Rate) check() Message {
	switch {
	case r == Rate{}:
		return Message{}
	case r.Requests < 1 || r.Requests > MaxRate:
		return NewMessage("rate.requests", MaxRate)
	case r.Per != Second && r.Per != Minute:
		return NewMessage("rate.per")
	}
	return Message{}
}

// Known says what exists in the account and its platforms, so that a webhook
// cannot select what does not.
type Known struct {
	Event   func(key string) bool
	Inline  func(key string) bool // inline webhooks can be called about the event
	Channel func(id string) bool
	Tour    func(id string) bool
	Guard   func(url string) Message // what is wrong with calling a URL by its text alone, such as a private address
}

// Problems says what is wrong with the part of the configuration that a step of
// the wizard shows; for the review, with any part.
func (c Config) Problems(step Step, known Known) Invalid {
	problems := Invalid{}
	switch step {
	case StepType:
		c.checkType(problems)
	case StepName:
		c.checkName(problems, known)
	case StepEvents:
		c.checkEvents(problems, known)
	case StepChannels:
		c.Channels.check(problems, "channels", []Mode{All, Include}, known.Channel)
	case StepTours:
		c.Tours.check(problems, "tours", []Mode{All, Include, Exclude}, known.Tour)
	case StepReview:
		for _, s := range Steps[:len(Steps)-1] {
			problems.Merge(c.Problems(s, known))
		}
	}
	return problems
}

func (c Config) checkType(problems Invalid) {
	switch c.Kind {
	case Async:
	case Inline:
		if c.TimeLimit < 1 || c.TimeLimit > MaxTimeLimit {
			problems.Add("time_limit", "time_limit.range", MaxTimeLimit)
		}
		return
	default:
		problems.Add("type", "type.missing")
	}
	if c.Concurrency < 1 || c.Concurrency > MaxConcurrency {
		problems.Add("concurrency", "concurrency.range", MaxConcurrency)
	}
	problems.AddMessage("rate_limit", c.Rate.check())
}

func (c Config) checkName(problems Invalid, known Known) {
	_, problem := CheckName(c.Name)
	problems.AddMessage("name", problem)
	address, problem := CheckURL(c.URL)
	if problem.IsZero() {
		problem = known.Guard(address)
	}
	problems.AddMessage("url", problem)
	if c.Kind != Inline && c.Format != Native && c.Format != Standard {
		problems.Add("format", "format.missing")
	}
	problems.AddMessage("basic_auth", CheckBasic(c.Basic))
}

func (c Config) checkEvents(problems Invalid, known Known) {
	if c.AllEvents && c.Kind == Inline {
		problems.Add("events", "events.inline_all")
		return
	}
	if c.AllEvents {
		return
	}
	if len(c.Events) == 0 {
		problems.Add("events", "events.missing")
	}
	if unknown := missing(c.Events, known.Event); len(unknown) > 0 {
		problems.Add("events", "events.unknown", nameSome(unknown))
	}
	if c.Kind != Inline {
		return
	}
	if never := missing(c.Events, known.Inline); len(never) > 0 {
		problems.Add("events", "events.not_inline", nameSome(never))
	}
}

// check adds what is wrong with a filter; the codes of its messages begin with
// the field's name.
func (f Filter) check(problems Invalid, field string, modes []Mode, known func(string) bool) {
	switch {
	case !slices.Contains(modes, f.Mode):
		problems.Add(field, "filter.mode", joinModes(modes))
	case f.Mode == All:
	case len(f.IDs) == 0:
		problems.Add(field, field+".missing")
	case len(f.IDs) > MaxFilterIDs:
		problems.Add(field, field+".too_many", MaxFilterIDs)
	default:
		if unknown := missing(f.IDs, known); len(unknown) > 0 {
			problems.Add(field, field+".unknown", nameSome(unknown))
		}
	}
}

func joinModes(modes []Mode) string {
	texts := make([]string, len(modes))
	for i, m := range modes {
		texts[i] = string(m)
	}
	return strings.Join(texts, ", ")
}

func missing(ids []string, known func(string) bool) []string {
	return slices.DeleteFunc(slices.Clone(ids), known)
}

// nameSome names the first ten and counts the others.
func nameSome(ids []string) string {
	if len(ids) <= 10 {
		return strings.Join(ids, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(ids[:10], ", "), len(ids)-10)
}
