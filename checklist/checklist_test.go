package checklist_test

import (
	"slices"
	"testing"
	"time"

	"bookhook/checklist"
)

var everything = checklist.Facts{
	CalledAt: time.Unix(1, 0), Event: 1, Channels: true, Tours: true, Webhook: true, Delivered: true, Colleague: true,
	MailSetUp: true, MailSent: true,
}

func done(f checklist.Facts) (steps []checklist.Step) {
	for _, item := range f.Steps() {
		if item.Done {
			steps = append(steps, item.Step)
		}
	}
	return steps
}

func TestSteps(t *testing.T) {
	for name, c := range map[string]struct {
		facts checklist.Facts
		want  []checklist.Step
	}{
		"nothing":                    {checklist.Facts{}, nil},
		"a call":                     {checklist.Facts{CalledAt: time.Unix(1, 0)}, []checklist.Step{checklist.Platform}},
		"a rejected request":         {checklist.Facts{Rejected: true}, []checklist.Step{checklist.Platform}},
		"an event by the API":        {checklist.Facts{Event: 1}, []checklist.Step{checklist.Platform, checklist.Event}},
		"channels alone":             {checklist.Facts{Channels: true}, nil},
		"channels and tours":         {checklist.Facts{Channels: true, Tours: true}, []checklist.Step{checklist.Items}},
		"a webhook and its delivery": {checklist.Facts{Webhook: true, Delivered: true}, []checklist.Step{checklist.Webhook, checklist.Delivery}},
		"mail":                       {checklist.Facts{MailSetUp: true, MailSent: true}, []checklist.Step{checklist.Mail}},
		"mail that is not set up":    {checklist.Facts{MailSent: true, Admin: true}, nil},
		"a colleague":                {checklist.Facts{Colleague: true}, []checklist.Step{checklist.Colleague}},
	} {
		if got := done(c.facts); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestShown(t *testing.T) {
	almost := everything
	almost.Colleague = false
	unsent, withoutMail := everything, everything
	unsent.MailSent, withoutMail.MailSent, withoutMail.MailSetUp = false, false, false
	settable := withoutMail
	settable.Admin = true
	hidden := almost
	hidden.Hidden = true
	for name, c := range map[string]struct {
		facts checklist.Facts
		want  bool
	}{
		"nothing is done": {checklist.Facts{}, true}, "one step is left": {almost, true}, "all is done": {everything, false},
		"no mail was sent": {unsent, true}, "mail is not set up": {withoutMail, false}, "mail is not set up, but can be": {settable, true}, "hidden": {hidden, false},
	} {
		if got := c.facts.Shown(); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}
