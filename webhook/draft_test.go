package webhook_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"bookhook/webhook"
)

// known is what the test account has; the guard refuses 10.0.0.1.
func known() webhook.Known {
	has := func(ids ...string) func(string) bool {
		return func(id string) bool { return slices.Contains(ids, id) }
	}
	return webhook.Known{
		Event:  has("new_confirmed_web", "new_temporary_web", "cancelled", "wink:cancelled"),
		Inline: has("new_confirmed_web", "new_temporary_web"), Channel: has("3930", "4069"), Tour: has("12", "15"),
		Guard: func(url string) (problem webhook.Message) {
			if strings.Contains(url, "10.0.0.1") {
				problem = webhook.NewMessage("10.0.0.1 is a private address.")
			}
			return problem
		},
	}
}

// finished is a draft in which nothing is wrong.
func finished() webhook.Draft {
	d := webhook.NewDraft([]string{"cancelled", "new_confirmed_web"})
	d.Account, d.Name, d.URL = 7, "Accounting", "https://example.com/hook"
	d.Done = slices.Clone(webhook.Steps[:5])
	return d
}

func unknownIDs(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("u%02d", i+1)
	}
	return ids
}

func TestDraftProblems(t *testing.T) {
	include, exclude := webhook.Include, webhook.Exclude
	filter := func(mode webhook.Mode, ids ...string) webhook.Filter { return webhook.Filter{Mode: mode, IDs: ids} }
	const tenNamed = "u01, u02, u03, u04, u05, u06, u07, u08, u09, u10"
	tests := []struct {
		name   string
		step   webhook.Step
		change func(*webhook.Draft)
		want   map[string]string
	}{
		{"type", webhook.StepType, func(*webhook.Draft) {}, nil},
		{"no type", webhook.StepType, func(d *webhook.Draft) { d.Kind = "" }, map[string]string{"type": "Choose the type"}},
		{"no concurrency", webhook.StepType, func(d *webhook.Draft) { d.Concurrency = 0 }, map[string]string{"concurrency": "from 1 to 256"}},
		{"most concurrency", webhook.StepType, func(d *webhook.Draft) { d.Concurrency = 256 }, nil},
		{"too much concurrency", webhook.StepType, func(d *webhook.Draft) { d.Concurrency = 257 }, map[string]string{"concurrency": "from 1 to 256"}},

		{"name", webhook.StepName, func(*webhook.Draft) {}, nil},
		{
			"no name, no URL, no format", webhook.StepName, func(d *webhook.Draft) { d.Name, d.URL, d.Format = " ", " ", "" },
			map[string]string{"name": "Enter a name", "url": "Enter the URL", "format": "native or standard"},
		},
		{"standard format", webhook.StepName, func(d *webhook.Draft) { d.Format = webhook.Standard }, nil},
		{"unknown format", webhook.StepName, func(d *webhook.Draft) { d.Format = "xml" }, map[string]string{"format": "native or standard"}},
		{"ftp", webhook.StepName, func(d *webhook.Draft) { d.URL = "ftp://example.com" }, map[string]string{"url": "not ftp://"}},
		{"guarded address", webhook.StepName, func(d *webhook.Draft) { d.URL = " http://10.0.0.1/x " }, map[string]string{"url": "private address"}},

		{"events", webhook.StepEvents, func(*webhook.Draft) {}, nil},
		{"no events", webhook.StepEvents, func(d *webhook.Draft) { d.Events = nil }, map[string]string{"events": "at least one event"}},
		{"all events", webhook.StepEvents, func(d *webhook.Draft) { d.AllEvents, d.Events = true, nil }, nil},
		{"all events, leftovers", webhook.StepEvents, func(d *webhook.Draft) { d.AllEvents, d.Events = true, []string{"canceled"} }, nil},
		{"unknown event", webhook.StepEvents, func(d *webhook.Draft) { d.Events = append(d.Events, "canceled") }, map[string]string{"events": "no event canceled."}},
		{"star as an event", webhook.StepEvents, func(d *webhook.Draft) { d.Events = []string{"*", "cancelled"} }, map[string]string{"events": "no event *."}},
		{"ten unknown events", webhook.StepEvents, func(d *webhook.Draft) { d.Events = unknownIDs(10) }, map[string]string{"events": tenNamed + "."}},
		{"eleven unknown events", webhook.StepEvents, func(d *webhook.Draft) { d.Events = unknownIDs(11) }, map[string]string{"events": tenNamed + " and 1 more."}},

		{"all channels", webhook.StepChannels, func(d *webhook.Draft) { d.Channels = filter(webhook.All, "left over") }, nil},
		{"channels", webhook.StepChannels, func(d *webhook.Draft) { d.Channels = filter(include, "4069", "3930", "4069") }, nil},
		{"no mode of channels", webhook.StepChannels, func(d *webhook.Draft) { d.Channels = filter("") }, map[string]string{"channels": "all, include."}},
		{"excluded channels", webhook.StepChannels, func(d *webhook.Draft) { d.Channels = filter(exclude, "3930") }, map[string]string{"channels": "all, include."}},
		{"no channel", webhook.StepChannels, func(d *webhook.Draft) { d.Channels = filter(include) }, map[string]string{"channels": "at least one channel, or all channels"}},
		{"a tour's id as channel", webhook.StepChannels, func(d *webhook.Draft) { d.Channels = filter(include, "3930", "12") }, map[string]string{"channels": "no channel with the id 12."}},

		{"included tours", webhook.StepTours, func(d *webhook.Draft) { d.Tours = filter(include, "12") }, nil},
		{"excluded tours", webhook.StepTours, func(d *webhook.Draft) { d.Tours = filter(exclude, "12", "15") }, nil},
		{"unknown mode of tours", webhook.StepTours, func(d *webhook.Draft) { d.Tours = filter("some", "12") }, map[string]string{"tours": "all, include, exclude."}},
		{"no tour", webhook.StepTours, func(d *webhook.Draft) { d.Tours = filter(exclude) }, map[string]string{"tours": "at least one tour, or all tours"}},
		{"25 unknown tours", webhook.StepTours, func(d *webhook.Draft) { d.Tours = filter(include, append(unknownIDs(25), "12")...) }, map[string]string{"tours": tenNamed + " and 15 more."}},
		{"too many tours", webhook.StepTours, func(d *webhook.Draft) { d.Tours = filter(include, manyTours(10_001)...) }, map[string]string{"tours": "at most 10000 tours"}},

		{"review", webhook.StepReview, func(*webhook.Draft) {}, nil},
		{
			"review, all wrong", webhook.StepReview, func(d *webhook.Draft) { *d = webhook.Draft{} },
			map[string]string{"type": "", "concurrency": "", "name": "", "url": "", "format": "", "events": "", "channels": "", "tours": ""},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := finished()
			tt.change(&d)
			wantProblems(t, d.Problems(tt.step, known()), tt.want)
		})
	}
}

// TestDraftProblemsOfOneStep: a step speaks of its own fields only.
func TestDraftProblemsOfOneStep(t *testing.T) {
	want := map[webhook.Step][]string{
		webhook.StepType: {"concurrency", "type"}, webhook.StepName: {"format", "name", "url"},
		webhook.StepEvents: {"events"}, webhook.StepChannels: {"channels"}, webhook.StepTours: {"tours"},
	}
	for step, fields := range want {
		var got []string
		for field := range (&webhook.Draft{}).Problems(step, known()) {
			got = append(got, field)
		}
		slices.Sort(got)
		if !slices.Equal(got, fields) {
			t.Errorf("%s: got %q, want %q", step, got, fields)
		}
	}
}
