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
	ID        DraftID   `json:"-"`
	Account   AccountID `json:"-"`
	UpdatedAt time.Time `json:"-"` // given by the store; different after each save

	Owner string    `json:"owner,omitempty"` // e-mail address of who began it
	Edits WebhookID `json:"edits,omitempty"` // the webhook that is edited; zero for a new one
	Base  time.Time `json:"base,omitzero"`   // its UpdatedAt when editing began
	Config
	Done []Step `json:"done"` // steps that were passed
}

// NewDraft begins a webhook with the given events preselected.
func NewDraft(events []string) Draft { return Draft{Config: NewConfig(events)} }

// EditDraft begins the editing of a webhook; every step counts as done. The
// draft shares nothing with the webhook.
func EditDraft(w *Webhook) Draft {
	d := Draft{Account: w.Account, Edits: w.ID, Base: w.UpdatedAt, Config: w.Config.Clone(), Done: slices.Clone(Steps)}
	d.TimeLimit = cmp.Or(d.TimeLimit, DefaultTimeLimit)
	return d
}

// Version differs after each save.
func (d *Draft) Version() string { return strconv.FormatInt(d.UpdatedAt.UnixMilli(), 10) }

// Note notes whether a step was passed. One that is wrong now counts as not
// passed, even if it was before.
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

// Recheck counts every step before the review in which something is wrong now as
// not passed; the events of one type of webhook may not be those of the other.
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

// Problems says what is wrong with a step; for the review, with any step. Name
// and URL lose their outer space.
func (d *Draft) Problems(step Step, known Known) Invalid {
	d.Name, d.URL = strings.TrimSpace(d.Name), strings.TrimSpace(d.URL)
	return d.Config.Problems(step, known)
}

// Webhook turns a finished draft into a webhook that is switched on, with a
// new secret and no times; its error is [Invalid].
func (d *Draft) Webhook(known Known) (*Webhook, error) {
	if problems := d.Problems(StepReview, known); len(problems) > 0 {
		return nil, problems
	}
	return &Webhook{ID: d.Edits, Account: d.Account, Config: d.Config.normal(), Enabled: true, Secret: NewSecret()}, nil
}
