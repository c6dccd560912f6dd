package webhook_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"bookhook/messages"
	"bookhook/webhook"
)

func TestInlineProblems(t *testing.T) {
	for _, tt := range []struct {
		name   string
		step   webhook.Step
		change func(*webhook.Draft)
		want   map[string]string
	}{
		{"inline", webhook.StepType, func(d *webhook.Draft) { d.Kind, d.Concurrency, d.Rate.Requests = webhook.Inline, 0, -1 }, nil},
		{"inline without time", webhook.StepType, func(d *webhook.Draft) { d.Kind, d.TimeLimit = webhook.Inline, 0 }, map[string]string{"time_limit": "from 1 to 25"}},
		{"inline with most time", webhook.StepType, func(d *webhook.Draft) { d.Kind, d.TimeLimit = webhook.Inline, 25 }, nil},
		{"inline with too much time", webhook.StepType, func(d *webhook.Draft) { d.Kind, d.TimeLimit = webhook.Inline, 26 }, map[string]string{"time_limit": "from 1 to 25"}},
		{"time is for inline only", webhook.StepType, func(d *webhook.Draft) { d.TimeLimit = 99 }, nil},
		{
			"inline events", webhook.StepEvents,
			func(d *webhook.Draft) {
				d.Kind, d.Events = webhook.Inline, []string{"new_temporary_web", "new_confirmed_web"}
			}, nil,
		},
		{
			"inline, sent afterwards", webhook.StepEvents, func(d *webhook.Draft) { d.Kind = webhook.Inline },
			map[string]string{"events": "send cancelled only after"},
		},
		{
			"inline, all events", webhook.StepEvents, func(d *webhook.Draft) { d.Kind, d.AllEvents = webhook.Inline, true },
			map[string]string{"events": "one by one"},
		},
		{"inline, no events", webhook.StepEvents, func(d *webhook.Draft) { d.Kind, d.Events = webhook.Inline, nil }, map[string]string{"events": "at least one event"}},
		{"inline, format of the other type", webhook.StepName, func(d *webhook.Draft) { d.Kind, d.Format = webhook.Inline, "" }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := finished()
			tt.change(&d)
			wantProblems(t, d.Problems(tt.step, known()), tt.want)
		})
	}
}

func TestInlineDraft(t *testing.T) {
	d := finished()
	d.Kind, d.Events, d.TimeLimit = webhook.Inline, []string{"new_temporary_web"}, 20
	d.Format, d.Concurrency, d.Ordered, d.Rate = webhook.Standard, 3, false, webhook.Rate{Requests: 5, Per: webhook.Second}
	w, err := d.Webhook(known())
	if err != nil {
		t.Fatal(err)
	}
	if w.Kind != webhook.Inline || w.Format != webhook.Native || w.TimeLimit != 20 || w.Concurrency != webhook.DefaultConcurrency || !w.Ordered || w.Rate.Requests != 0 {
		t.Errorf("got %+v, want an inline webhook with the rest at its defaults", w)
	}
	d.Kind = webhook.Async // what was typed is still there
	w, err = d.Webhook(known())
	if err != nil || w.Format != webhook.Standard || w.Concurrency != 3 || w.Ordered || w.Rate.Requests != 5 || w.TimeLimit != 0 {
		t.Errorf("got %+v, %v, want what was typed for an asynchronous one", w, err)
	}
}

func TestRecheck(t *testing.T) {
	d := finished()
	d.Kind = webhook.Inline
	d.Recheck(known())
	if want := []webhook.Step{"type", "name", "channels", "tours"}; !slices.Equal(d.Done, want) {
		t.Errorf("got %v done, want %v: cancelled is an event of the other type", d.Done, want)
	}
	if len(d.Events) != 2 {
		t.Errorf("got the events %v, want what was chosen", d.Events)
	}
}

func TestFindChannelConflict(t *testing.T) {
	hook := func(id webhook.WebhookID, kind webhook.Kind, channels ...string) *webhook.Webhook {
		w := &webhook.Webhook{ID: id, Config: webhook.Config{Name: "Gate", Kind: kind, Channels: webhook.NewFilter(webhook.All, nil)}}
		if len(channels) > 0 {
			w.Channels = webhook.NewFilter(webhook.Include, channels)
		}
		return w
	}
	const inline, async = webhook.Inline, webhook.Async
	for _, tt := range []struct {
		name     string
		w, other *webhook.Webhook
		want     string // "-": no conflict
	}{
		{"all and all", hook(0, inline), hook(1, inline), ""},
		{"all and one", hook(0, inline), hook(1, inline, "9"), "9"},
		{"one and all", hook(0, inline, "9", "8"), hook(1, inline), "8"},
		{"one in common", hook(0, inline, "1", "2"), hook(1, inline, "3", "2"), "2"},
		{"none in common", hook(0, inline, "1"), hook(1, inline, "2"), "-"},
		{"itself", hook(1, inline), hook(1, inline), "-"},
		{"asynchronous", hook(0, inline), hook(1, async), "-"},
		{"itself asynchronous", hook(0, async), hook(1, inline), "-"},
	} {
		got := webhook.FindChannelConflict(tt.w, []*webhook.Webhook{tt.other})
		if (got == nil) != (tt.want == "-") || got != nil && (got.Channel != tt.want || got.With != tt.other) {
			t.Errorf("%s: got %+v, want %q", tt.name, got, tt.want)
		}
		if got != nil && !strings.Contains(messages.Text(got.Problem("Nine")), "“Gate”") {
			t.Errorf("%s: got %q, want the other's name", tt.name, got.Problem("Nine"))
		}
	}
}

// Whatever a receiver answers, what is read of it is what a person or a program
// can be given.
func FuzzReadInlineBody(f *testing.F) {
	f.Add("application/json", []byte(`{"text":"ok","tickets":[1]}`))
	f.Add("application/json; charset=utf-8", []byte("\n{\"text\":null}\n"))
	f.Add("text/html", []byte("<p>"))
	f.Add("", []byte{})
	f.Add("application/json", []byte("{\"text\":\"\xff\"}"))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		a := webhook.Attempt{Status: 200, ResponseHeaders: http.Header{"Content-Type": {kind}}, ResponseBody: body}
		text, tickets, problem := webhook.ReadInlineBody(a)
		if !problem.IsZero() && (text != "" || tickets != nil) {
			t.Errorf("got %q and %s beside the problem %q", text, tickets, problem)
		}
		if v := webhook.AnswerOf(a); !v.Accepted || v.Text != text {
			t.Errorf("got %+v, want what was read", v)
		}
	})
}
