package webhook

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Step of the wizard; the texts are parts of URLs.
type Step string

// The steps, in order.
const (
	StepType     Step = "type"
	StepName     Step = "name"
	StepEvents   Step = "events"
	StepChannels Step = "channels"
	StepTours    Step = "tours"
	StepReview   Step = "review"
)

// Steps lists the steps in order.
var Steps = []Step{StepType, StepName, StepEvents, StepChannels, StepTours, StepReview}

// Next is the step after s; review is followed by itself.
func (s Step) Next() Step { return Steps[min(slices.Index(Steps, s)+1, len(Steps)-1)] }

// ErrDraftChanged is an [ErrConflict]: the draft was saved again since it was
// read.
var ErrDraftChanged = fmt.Errorf("draft: %w", ErrConflict)

// Draft is a webhook in the making: what a person typed so far, right or
// wrong. It is kept as JSON and survives whatever the browser does.
type Draft struct {
	ID        ID        `json:"-"`
	Account   ID        `json:"-"`
	UpdatedAt time.Time `json:"-"` // given by the store; different after each save

	Owner       string    `json:"owner,omitempty"` // e-mail address of who began it
	Edits       ID        `json:"edits,omitempty"` // the webhook that is edited; zero for a new one
	Base        time.Time `json:"base,omitzero"`   // its UpdatedAt when editing began
	Kind        Kind      `json:"kind"`
	Name        string    `json:"name"`
	URL         string    `json:"url"`
	Format      Format    `json:"format"`
	AllEvents   bool      `json:"all_events"`
	Events      []string  `json:"events"`
	Channels    Filter    `json:"channels"`
	Tours       Filter    `json:"tours"`
	Concurrency int       `json:"concurrency"`
	Ordered     bool      `json:"ordered"`
	Rate        Rate      `json:"rate"`
	Basic       string    `json:"basic,omitempty"`
	Bare        bool      `json:"bare,omitempty"`
	Email       string    `json:"email,omitempty"`
	TimeLimit   int       `json:"time_limit,omitempty"`
	Done        []Step    `json:"done"` // steps that were passed
}

// NewDraft begins a webhook with the given events preselected.
func NewDraft(events []string) Draft {
	return Draft{
		Kind: Async, Format: Native, Events: events, Concurrency: DefaultConcurrency, Ordered: true, TimeLimit: DefaultTimeLimit,
		Channels: NewFilter(All, nil), Tours: NewFilter(All, nil),
	}
}

// EditDraft begins the editing of a webhook; every step counts as done. The
// draft shares nothing with the webhook.
func EditDraft(w *Webhook) Draft {
	d := Draft{
		Account: w.Account, Edits: w.ID, Base: w.UpdatedAt, Kind: w.Kind, Name: w.Name, URL: w.URL, Format: w.Format,
		AllEvents: w.AllEvents(), Events: slices.Clone(w.Events),
		Channels: NewFilter(w.Channels.Mode, w.Channels.IDs), Tours: NewFilter(w.Tours.Mode, w.Tours.IDs),
		Concurrency: w.Concurrency, Ordered: w.Ordered, Rate: w.Rate, Basic: w.Basic, Bare: w.Bare, Email: w.Email,
		TimeLimit: cmp.Or(w.TimeLimit, DefaultTimeLimit), Done: slices.Clone(Steps),
	}
	if d.AllEvents {
		d.Events = nil
	}
	return d
}

// Version tells what was saved from what was saved before.
func (d *Draft) Version() string { return strconv.FormatInt(d.UpdatedAt.UnixMilli(), 10) }

// Note notes how a step ended. One that is wrong now counts as not passed, even
// if it was before.
func (d *Draft) Note(step Step, passed bool) {
	if passed {
		d.Pass(step)
	} else {
		d.Done = slices.DeleteFunc(d.Done, func(s Step) bool { return s == step })
	}
}

// Pass notes that a step was passed.
func (d *Draft) Pass(step Step) {
	if !slices.Contains(d.Done, step) {
		d.Done = append(d.Done, step)
	}
}

// Recheck counts as not passed every step, but the review, in which something is
// wrong now; the events of one type of webhook may not be those of the other.
func (d *Draft) Recheck(known Known) {
	for _, step := range Steps[:len(Steps)-1] {
		if len(d.Problems(step, known)) > 0 {
			d.Note(step, false)
		}
	}
}

// Reachable says whether the step may be shown: all before it were passed.
func (d *Draft) Reachable(step Step) bool {
	for _, s := range Steps {
		if s == step {
			return true
		}
		if !slices.Contains(d.Done, s) {
			return false
		}
	}
	return false
}

// Resume is the first step that was not passed.
func (d *Draft) Resume() Step {
	for _, s := range Steps {
		if !slices.Contains(d.Done, s) {
			return s
		}
	}
	return StepReview
}

// Known answers what the account and its platforms have, so that a draft
// cannot name what does not exist. Inline says of an event whether a platform
// asks about it. Guard says what is wrong with calling a URL by its text alone,
// such as a private address; "" when nothing is.
type Known struct {
	Event   func(key string) bool
	Inline  func(key string) bool
	Channel func(id string) bool
	Tour    func(id string) bool
	Guard   func(url string) string
}

// Problems says what is wrong with a step; for the review, with any step.
func (d *Draft) Problems(step Step, known Known) Invalid {
	problems := Invalid{}
	switch step {
	case StepType:
		d.checkType(problems)
	case StepName:
		d.checkName(problems, known)
	case StepEvents:
		d.checkEvents(problems, known)
	case StepChannels:
		checkFilter(problems, "channels", "channel", d.Channels, []Mode{All, Include}, known.Channel)
	case StepTours:
		checkFilter(problems, "tours", "tour", d.Tours, []Mode{All, Include, Exclude}, known.Tour)
	case StepReview:
		for _, s := range Steps[:len(Steps)-1] {
			problems.Merge(d.Problems(s, known))
		}
	}
	return problems
}

func (d *Draft) checkType(problems Invalid) {
	switch d.Kind {
	case Async:
	case Inline:
		if d.TimeLimit < 1 || d.TimeLimit > MaxTimeLimit {
			problems.Add("time_limit", "Choose a number of seconds from 1 to %d.", MaxTimeLimit)
		}
		return
	default:
		problems.Add("type", "Choose the type: async or inline.")
	}
	if d.Concurrency < 1 || d.Concurrency > MaxConcurrency {
		problems.Add("concurrency", "Choose a number from 1 to %d.", MaxConcurrency)
	}
	if problem := CheckRate(d.Rate); problem != "" {
		problems.Add("rate_limit", "%s", problem)
	}
}

func (d *Draft) checkName(problems Invalid, known Known) {
	name, problem := CheckName(d.Name)
	if problem != "" {
		problems.Add("name", "%s", problem)
	}
	address, problem := CheckURL(d.URL)
	if problem == "" {
		problem = known.Guard(address)
	}
	if problem != "" {
		problems.Add("url", "%s", problem)
	}
	d.Name, d.URL = name, address
	if d.Kind != Inline && d.Format != Native && d.Format != Standard {
		problems.Add("format", "Choose the format: native or standard.")
	}
	if problem := CheckBasic(d.Basic); problem != "" {
		problems.Add("basic_auth", "%s", problem)
	}
}

func (d *Draft) checkEvents(problems Invalid, known Known) {
	if d.AllEvents && d.Kind == Inline {
		problems.Add("events", "A synchronous webhook is asked about certain events only; choose them one by one.")
		return
	}
	if d.AllEvents {
		return
	}
	if len(d.Events) == 0 {
		problems.Add("events", "Choose at least one event, or all events.")
	}
	if unknown := missing(d.Events, known.Event); len(unknown) > 0 {
		problems.Add("events", "There is no event %s. Check the spelling, or choose from the list.", shorten(unknown))
	}
	if d.Kind != Inline {
		return
	}
	if never := missing(d.Events, known.Inline); len(never) > 0 {
		problems.Add("events", "Nobody is asked about %s: booking platforms tell of this afterwards. Leave it out, or make an asynchronous webhook for it.", shorten(never))
	}
}

func checkFilter(problems Invalid, field, noun string, f Filter, modes []Mode, known func(string) bool) {
	switch {
	case !slices.Contains(modes, f.Mode):
		problems.Add(field, "Choose one of: %s.", joinModes(modes))
	case f.Mode == All:
	case len(f.IDs) == 0:
		problems.Add(field, "Choose at least one %s, or all %ss.", noun, noun)
	case len(f.IDs) > MaxFilterIDs:
		problems.Add(field, "Choose at most %d %ss.", MaxFilterIDs, noun)
	default:
		if unknown := missing(f.IDs, known); len(unknown) > 0 {
			problems.Add(field, "This account has no %s with the id %s. Correct it, or add the %s to your list first.", noun, shorten(unknown), noun)
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

// shorten names the first ten and counts the rest.
func shorten(ids []string) string {
	if len(ids) <= 10 {
		return strings.Join(ids, ", ")
	}
	return strings.Join(ids[:10], ", ") + " and " + strconv.Itoa(len(ids)-10) + " more"
}

// Webhook turns a finished draft into a webhook that is switched on, with a
// new secret and no times; its error is [Invalid].
func (d *Draft) Webhook(known Known) (*Webhook, error) {
	if problems := d.Problems(StepReview, known); len(problems) > 0 {
		return nil, problems
	}
	events := []string{AllEventsKey}
	if !d.AllEvents {
		events = slices.Compact(slices.Sorted(slices.Values(d.Events)))
	}
	w := &Webhook{
		ID: d.Edits, Account: d.Account, Name: d.Name, URL: d.URL, Kind: d.Kind, Format: d.Format,
		Events: events, Channels: NewFilter(d.Channels.Mode, d.Channels.IDs), Tours: NewFilter(d.Tours.Mode, d.Tours.IDs),
		Enabled: true, Concurrency: d.Concurrency, Ordered: d.Ordered, Rate: d.Rate, Basic: d.Basic, Bare: d.Bare, Email: d.Email,
		Secret: NewSecret(),
	}
	if d.Kind == Inline { // what is said of the other kind is kept in the draft only
		fresh := NewDraft(nil)
		w.Format, w.Concurrency, w.Ordered, w.Rate = fresh.Format, fresh.Concurrency, fresh.Ordered, fresh.Rate
		w.TimeLimit = d.TimeLimit
	}
	return w, nil
}
