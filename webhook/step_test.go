package webhook_test

import (
	"slices"
	"testing"

	"bookhook/webhook"
)

func TestStepNext(t *testing.T) {
	tests := []struct{ step, want webhook.Step }{
		{webhook.StepType, webhook.StepName},
		{webhook.StepName, webhook.StepEvents},
		{webhook.StepEvents, webhook.StepChannels},
		{webhook.StepChannels, webhook.StepTours},
		{webhook.StepTours, webhook.StepReview},
		{webhook.StepReview, webhook.StepReview},
		{"nonsense", webhook.StepType},
	}
	for _, tt := range tests {
		if got := tt.step.Next(); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.step, got, tt.want)
		}
	}
}

func TestDraftReachable(t *testing.T) {
	steps := func(s ...webhook.Step) []webhook.Step { return s }
	tests := []struct {
		name      string
		done      []webhook.Step
		reachable []webhook.Step
		resume    webhook.Step
	}{
		{"new", nil, webhook.Steps[:1], webhook.StepType},
		{"type passed", webhook.Steps[:1], webhook.Steps[:2], webhook.StepName},
		{"four passed", webhook.Steps[:4], webhook.Steps[:5], webhook.StepTours},
		{"five passed", webhook.Steps[:5], webhook.Steps, webhook.StepReview},
		{"all passed", webhook.Steps, webhook.Steps, webhook.StepReview},
		{"a gap", steps(webhook.StepType, webhook.StepEvents, webhook.StepTours), webhook.Steps[:2], webhook.StepName},
		{"first missing", webhook.Steps[1:], webhook.Steps[:1], webhook.StepType},
		{"another order", steps(webhook.StepEvents, webhook.StepName, webhook.StepType), webhook.Steps[:4], webhook.StepChannels},
		{"nonsense", steps("nonsense", "", webhook.StepType), webhook.Steps[:2], webhook.StepName},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := webhook.Draft{Done: tt.done}
			for _, step := range webhook.Steps {
				if got, want := d.Reachable(step), slices.Contains(tt.reachable, step); got != want {
					t.Errorf("%s: got reachable %v, want %v", step, got, want)
				}
			}
			if d.Reachable("elsewhere") || d.Reachable("") {
				t.Error("a step that does not exist is reachable, want it not to be")
			}
			if got := d.Resume(); got != tt.resume {
				t.Errorf("got resume at %s, want %s", got, tt.resume)
			}
		})
	}
}

func TestDraftPass(t *testing.T) {
	var d webhook.Draft
	for i, step := range webhook.Steps {
		d.Pass(step)
		d.Pass(step)
		if want := webhook.Steps[:i+1]; !slices.Equal(d.Done, want) {
			t.Fatalf("after passing %s twice: got %q, want %q", step, d.Done, want)
		}
	}
	edit := webhook.EditDraft(&webhook.Webhook{})
	edit.Pass("extra")
	if got := len(webhook.Steps); got != 6 {
		t.Errorf("passing a step of an edit changed Steps: got %d, want 6", got)
	}
}
