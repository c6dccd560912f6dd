package webhook_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"bookhook/webhook"
)

func TestDraftWebhook(t *testing.T) {
	d := finished()
	d.Name, d.URL, d.Format = " Accounting ", " https://example.com/hook\n", webhook.Standard
	d.Events = []string{"new_confirmed_web", "cancelled", "new_confirmed_web"}
	d.Channels = webhook.Filter{Mode: webhook.Include, IDs: []string{"4069", "3930", "4069"}}
	d.Tours = webhook.Filter{Mode: webhook.Exclude, IDs: []string{"15", "12"}}
	got, err := d.Webhook(known())
	if err != nil {
		t.Fatal(err)
	}
	if got.Secret == "" || got.OldSecret != "" {
		t.Errorf("got secret %q, old secret %q, want a new one alone", got.Secret, got.OldSecret)
	}
	got.Secret = ""
	want := &webhook.Webhook{
		Account: 7, Enabled: true, Config: webhook.Config{
			Name: "Accounting", URL: "https://example.com/hook", Kind: webhook.Async, Format: webhook.Standard,
			Events:      []string{"cancelled", "new_confirmed_web"},
			Channels:    webhook.Filter{Mode: webhook.Include, IDs: []string{"3930", "4069"}},
			Tours:       webhook.Filter{Mode: webhook.Exclude, IDs: []string{"12", "15"}},
			Concurrency: 8, Ordered: true,
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestDraftWebhookForgetsLeftovers(t *testing.T) {
	d := finished()
	d.AllEvents, d.Events = true, []string{"canceled"}
	d.Tours = webhook.Filter{Mode: webhook.All, IDs: []string{"unknown"}}
	got, err := d.Webhook(known())
	if err != nil {
		t.Fatal(err)
	}
	if !got.AllEvents || len(got.Tours.IDs) != 0 {
		t.Errorf("got events %q, tours %q, want all events and no tour ids", got.Events, got.Tours.IDs)
	}
}

func TestDraftWebhookInvalid(t *testing.T) {
	d := finished()
	d.Name, d.Events = "", []string{"canceled"}
	got, err := d.Webhook(known())
	problems, ok := errors.AsType[webhook.Invalid](err)
	if got != nil || !ok {
		t.Fatalf("got %+v, %v, want no webhook and Invalid", got, err)
	}
	wantProblems(t, problems, map[string]string{"name": "Enter a name", "events": "canceled"})
}

// existing is a webhook in which every field that a draft carries is set.
func existing() *webhook.Webhook {
	return &webhook.Webhook{
		ID: 9, Account: 7, Enabled: true, UpdatedAt: time.UnixMilli(1795251600123).UTC(), Config: webhook.Config{
			Name: "Accounting", URL: "https://example.com/hook?a=1", Kind: webhook.Async, Format: webhook.Standard,
			Events: []string{"cancelled", "wink:cancelled"}, Concurrency: 3,
			Channels: webhook.NewFilter(webhook.Include, []string{"3930"}), Tours: webhook.NewFilter(webhook.Exclude, []string{"12", "15"}),
		},
	}
}

func TestEditDraftRoundTrip(t *testing.T) {
	everything := existing()
	everything.AllEvents, everything.Events = true, nil
	for name, w := range map[string]*webhook.Webhook{"some events": existing(), "all events": everything} {
		t.Run(name, func(t *testing.T) {
			d := webhook.EditDraft(w)
			if d.Edits != w.ID || !d.Base.Equal(w.UpdatedAt) || d.Resume() != webhook.StepReview {
				t.Errorf("got edits %d, base %v, resume %s, want %d, %v, review", d.Edits, d.Base, d.Resume(), w.ID, w.UpdatedAt)
			}
			got, err := d.Webhook(known())
			if err != nil {
				t.Fatal(err)
			}
			want := *w
			want.UpdatedAt, want.Secret = time.Time{}, got.Secret
			if !reflect.DeepEqual(got, &want) {
				t.Errorf("got  %+v\nwant %+v", got, &want)
			}
		})
	}
}

// TestEditDraftIsACopy: what is typed into the draft leaves the webhook alone.
func TestEditDraftIsACopy(t *testing.T) {
	w := existing()
	d := webhook.EditDraft(w)
	d.Events[0], d.Channels.IDs[0], d.Tours.IDs[0] = "x", "x", "x"
	if want := existing(); !reflect.DeepEqual(w, want) {
		t.Errorf("got  %+v\nwant %+v", w, want)
	}
}

func TestDraftJSON(t *testing.T) {
	edit, unfinished := webhook.EditDraft(existing()), webhook.NewDraft(nil)
	unfinished.Name, unfinished.URL, unfinished.Tours.Mode = "🎟 <b>", "ftp://", "nonsense"
	tests := map[string]webhook.Draft{"zero": {}, "new": webhook.NewDraft([]string{"cancelled"}), "edit": edit, "unfinished": unfinished}
	for name, d := range tests {
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var got webhook.Draft
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		want := d
		want.ID, want.Account, want.UpdatedAt = 0, 0, time.Time{} // columns of their own
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got  %+v\nwant %+v\nfrom %s", name, got, want, text)
		}
	}
}

func FuzzDraftJSON(f *testing.F) {
	for _, d := range []webhook.Draft{{}, finished(), webhook.EditDraft(existing())} {
		text, err := json.Marshal(d)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"kind":"async","name":"x","url":"https://x.test","format":"native","events":["a","a"],"concurrency":1,` +
		`"channels":{"mode":"include","ids":["b","a","b"]},"tours":{"mode":"exclude","ids":["2","10"]},"done":["review"]}`))
	f.Add([]byte(`{"edits":-1,"all_events":true,"events":null,"channels":null,"tours":{"ids":[""]},"done":["","x"]}`))
	anything := webhook.Known{
		Event: func(key string) bool { return key != webhook.AllEventsKey }, Channel: func(id string) bool { return id != "" },
		Tour: func(id string) bool { return id != "" }, Guard: func(string) webhook.Message { return webhook.Message{} },
	}
	nothing := webhook.Known{
		Event: func(string) bool { return false }, Channel: func(string) bool { return false },
		Tour: func(string) bool { return false }, Guard: func(string) webhook.Message { return webhook.NewMessage("no") },
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var d webhook.Draft
		if json.Unmarshal(text, &d) != nil {
			t.Skip("not a draft")
		}
		for _, step := range append(slices.Clone(webhook.Steps), d.Done...) {
			if wrong, right := d.Problems(step, nothing), d.Problems(step, anything); len(wrong) < len(right) {
				t.Errorf("%s: got %d problems when nothing is known, %d when everything is", step, len(wrong), len(right))
			}
		}
		d.Reachable(d.Resume().Next())
		w, err := d.Webhook(anything)
		if _, ok := errors.AsType[webhook.Invalid](err); (err == nil) == (w == nil) || err != nil && !ok {
			t.Fatalf("got %+v, %v, want a webhook or Invalid", w, err)
		}
		if err == nil {
			wantReceivesItsOwn(t, w)
			wantUnchanged(t, w, anything)
		}
	})
}

// wantReceivesItsOwn wants the webhook to match what its own lists name.
func wantReceivesItsOwn(tb testing.TB, w *webhook.Webhook) {
	tb.Helper()
	for _, key := range w.Events {
		e := &webhook.Event{Platform: webhook.DefaultPlatform, Type: key}
		if len(w.Channels.IDs) > 0 {
			e.ChannelID = w.Channels.IDs[len(w.Channels.IDs)/2]
		}
		want := webhook.Matched
		if w.Tours.Mode != webhook.All {
			e.TourIDs = w.Tours.IDs
		}
		if w.Tours.Mode == webhook.Exclude {
			want = webhook.ReasonTourExcluded
		}
		if got := webhook.Match(w, e); got != want {
			tb.Errorf("%+v of %+v: got %q, want %q", e, w, got, want)
		}
	}
}

// wantUnchanged wants an edit that changes nothing to give the same webhook.
func wantUnchanged(tb testing.TB, w *webhook.Webhook, known webhook.Known) {
	tb.Helper()
	d := webhook.EditDraft(w)
	again, err := d.Webhook(known)
	if err != nil {
		tb.Fatal(err)
	}
	again.Secret = w.Secret
	if !reflect.DeepEqual(again, w) {
		tb.Errorf("after an edit that changed nothing: got %+v, want %+v", again, w)
	}
}

// TestBasicFollowsItsDestination: what was stored for one server is not sent to
// another, in a new draft and in one that edits a webhook.
func TestBasicFollowsItsDestination(t *testing.T) {
	const moved, again = "https://evil.example/hook", "The stored value was given for another scheme, host or port."
	fresh, w := finished(), existing()
	fresh.SetBasic("c2VjcmV0")
	w.Basic = "c2VjcmV0"
	for name, start := range map[string]webhook.Draft{"new": fresh, "edit": webhook.EditDraft(w)} {
		tests := []struct {
			what   string
			change func(*webhook.Draft)
			want   map[string]string
		}{
			{"nothing", func(*webhook.Draft) {}, nil},
			{"another path", func(d *webhook.Draft) { d.URL = " HTTPS://EXAMPLE.com:443/other?x=1" }, nil},
			{"another host", func(d *webhook.Draft) { d.URL = moved }, map[string]string{"basic_auth": again}},
			{"another scheme", func(d *webhook.Draft) { d.URL = "http://example.com/hook" }, map[string]string{"basic_auth": again}},
			{"another port", func(d *webhook.Draft) { d.URL = "https://example.com:8443/hook" }, map[string]string{"basic_auth": again}},
			{"there and back", func(d *webhook.Draft) {
				d.URL = moved
				_ = d.Problems(webhook.StepName, known())
				d.URL = "https://example.com/"
			}, nil},
			{"the same value given again", func(d *webhook.Draft) { d.URL = moved; d.SetBasic(d.Basic) }, nil},
			{"given before the URL", func(d *webhook.Draft) { d.SetBasic("bmV3"); d.URL = moved }, map[string]string{"basic_auth": again}},
			{"removed", func(d *webhook.Draft) { d.URL = moved; d.SetBasic("") }, nil},
			{"no URL", func(d *webhook.Draft) { d.URL = "evil.example" }, map[string]string{"url": "Begin the URL"}},
			{"stored before destinations were", func(d *webhook.Draft) { d.BasicFor = "" }, map[string]string{"basic_auth": again}},
		}
		for _, tt := range tests {
			d := start
			tt.change(&d)
			for _, step := range []webhook.Step{webhook.StepName, webhook.StepReview} {
				wantProblems(t, d.Problems(step, known()), tt.want)
			}
			if w, err := d.Webhook(known()); (err == nil) != (tt.want == nil) {
				t.Errorf("%s, %s: got %+v, %v", name, tt.what, w, err)
			}
			if problems := d.Problems(webhook.StepType, known()); len(problems) > 0 {
				t.Errorf("%s, %s: the type has %v", name, tt.what, problems)
			}
		}
	}
}
