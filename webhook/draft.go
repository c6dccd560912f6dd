package webhook

import (
	"cmp"
	"fmt"
	"maps"
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

// Next returns the step after s; review is followed by itself.
func (s Step) Next() Step { return Steps[min(slices.Index(Steps, s)+1, len(Steps)-1)] }

// ErrDraftChanged is an [ErrConflict]: the draft was saved by another request
// after it was read.
var ErrDraftChanged = fmt.Errorf("draft: %w", ErrConflict)

// Draft is an unfinished webhook: what a person typed so far, valid or not. It is
// stored as JSON.
type Draft struct {
	ID        DraftID   `json:"-"`
	Account   AccountID `json:"-"`
	UpdatedAt time.Time `json:"-"` // given by the store; different after each save

	Owner string    `json:"owner,omitempty"` // e-mail address of who started it
	Edits WebhookID `json:"edits,omitempty"` // the webhook that is edited; zero for a new one
	Base  time.Time `json:"base,omitzero"`   // its UpdatedAt when editing began
	Config
	BasicFor string          `json:"basic_for,omitempty"` // the URL that the Basic value was given for; see SetBasic
	Done     []Step          `json:"done"`                // steps that were passed
	Changed  map[Step]Change `json:"changed,omitempty"`   // the last change of each step that was changed; see SetChanged
}

// NewDraft returns a draft of a new webhook with the given events preselected.
func NewDraft(events []string) Draft { return Draft{Config: NewConfig(events)} }

// EditDraft returns a draft that edits a webhook; every step counts as done. The
// draft shares no memory with the webhook.
func EditDraft(w *Webhook) Draft {
	d := Draft{Account: w.Account, Edits: w.ID, Base: w.UpdatedAt, Config: w.Config.Clone(), Done: slices.Clone(Steps)}
	d.TimeLimit = cmp.Or(d.TimeLimit, DefaultTimeLimit)
	d.SetBasic(w.Basic)
	return d
}

// SetBasic sets the value of Basic authentication, given for the present URL: with
// a URL of another scheme, host or port the draft is invalid until the value is set
// again, so that nobody can send what others stored to a server of their own.
func (d *Draft) SetBasic(value string) {
	d.Basic, d.BasicFor = value, ""
	if value != "" {
		d.BasicFor = strings.TrimSpace(d.URL)
	}
}

// Version returns a text that is different after each save.
func (d *Draft) Version() string { return strconv.FormatInt(d.UpdatedAt.UnixMilli(), 10) }

// StepVersion returns a text that is different after each change of the step; "0" if
// it was not changed yet.
func (d *Draft) StepVersion(step Step) string {
	if change, ok := d.Changed[step]; ok {
		return strconv.FormatInt(change.At.UnixMilli(), 10)
	}
	return "0"
}

// SetChanged notes who changed a step, and when; two changes in one millisecond get
// different times.
func (d *Draft) SetChanged(step Step, change Change) {
	change.At = change.At.UTC().Truncate(time.Millisecond)
	if last := d.Changed[step].At; !change.At.After(last) {
		change.At = last.Add(time.Millisecond)
	}
	changed := maps.Clone(d.Changed)
	if changed == nil {
		changed = map[Step]Change{}
	}
	changed[step] = change
	d.Changed = changed
}

// ChangedSince lists the steps that were changed after the draft had the version, and
// the last of these changes.
func (d *Draft) ChangedSince(version string) (steps []Step, last Change) {
	millis, _ := strconv.ParseInt(version, 10, 64) // what is no version is older than any
	for _, step := range Steps {
		change, ok := d.Changed[step]
		if !ok || change.At.UnixMilli() <= millis {
			continue
		}
		steps = append(steps, step)
		if change.At.After(last.At) {
			last = change
		}
	}
	return steps, last
}

// SetPassed marks a step as passed, or as not passed, even if it was before.
func (d *Draft) SetPassed(step Step, passed bool) {
	if passed {
		d.Pass(step)
	} else {
		d.Done = slices.DeleteFunc(slices.Clone(d.Done), func(s Step) bool { return s == step })
	}
}

// Pass marks a step as passed.
func (d *Draft) Pass(step Step) {
	if !slices.Contains(d.Done, step) {
		d.Done = append(slices.Clip(d.Done), step)
	}
}

// Recheck marks every step before the review that is invalid now as not passed:
// a change of the type, for example, makes some of the selected events invalid.
func (d *Draft) Recheck(known Known) {
	for _, step := range Steps[:len(Steps)-1] {
		if len(d.Problems(step, known)) > 0 {
			d.SetPassed(step, false)
		}
	}
}

// Reachable reports whether the step may be shown: all steps before it were
// passed.
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

// Resume returns the first step that was not passed.
func (d *Draft) Resume() Step {
	for _, s := range Steps {
		if !slices.Contains(d.Done, s) {
			return s
		}
	}
	return StepReview
}

// Problems says what is wrong with a step; for the review, with any step. It
// trims name and URL.
func (d *Draft) Problems(step Step, known Known) Invalid {
	d.Name, d.URL = strings.TrimSpace(d.Name), strings.TrimSpace(d.URL)
	problems := d.Config.Problems(step, known)
	if step != StepName && step != StepReview || d.Basic == "" || !problems["url"].IsZero() {
		return problems
	}
	if !SameDestination(d.BasicFor, d.URL) {
		problems.Add("basic_auth", "basic.again")
	}
	return problems
}

// Webhook turns a finished draft into a webhook that is switched on and has a new
// secret; its error is [Invalid].
func (d *Draft) Webhook(known Known) (*Webhook, error) {
	if problems := d.Problems(StepReview, known); len(problems) > 0 {
		return nil, problems
	}
	return &Webhook{ID: d.Edits, Account: d.Account, Config: d.Config.normalized(), Enabled: true, Secret: NewSecret()}, nil
}
