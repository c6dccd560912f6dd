package views

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"bookhook/stats"
	"bookhook/webhook"
)

func TestInlineSentence(t *testing.T) {
	names := Names{Catalogues: sentenceCatalogues(), Channels: map[string]string{"1": "Website"}, Tours: map[string]string{"15": "Night Walk"}}
	c := webhook.Config{
		Kind: webhook.Inline, URL: "https://example.com/x", TimeLimit: 10, Events: []string{"new_temporary_web"},
		Channels: webhook.NewFilter(webhook.Include, []string{"1"}), Tours: webhook.NewFilter(webhook.All, nil),
	}
	const end = ", ask https://example.com/x; no 200 within 10 seconds is a refusal."
	if got, want := sentenceText(c, names), "Before a booking is started (web/API) on the Website channel, for any tour"+end; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	c.Channels, c.Tours, c.TimeLimit = webhook.NewFilter(webhook.All, nil), webhook.NewFilter(webhook.Exclude, []string{"15"}), 1
	for _, tt := range []struct {
		events []string
		want   string
	}{
		{[]string{"check_booking_status", "new_temporary_web", "new_temporary_staff"}, "Before a booking is started or is cancelled,"},
		{[]string{"new_confirmed_web", "temporary_booking_deleted"}, "Before a booking is confirmed (web/API), and when one is dropped,"},
		{[]string{"temporary_booking_deleted"}, "When a booking is dropped"},
	} {
		c.Events = tt.events
		want := tt.want + " on any channel, for any tour except Night Walk" + strings.Replace(end, "10 seconds", "1 second", 1)
		if got := sentenceText(c, names); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// inlineAttempts is the one attempt of a synchronous webhook with this answer.
func inlineAttempts(status int, failure webhook.Failure, body string) []webhook.Attempt {
	return []webhook.Attempt{{
		Number: 1, Method: http.MethodPost, Status: status, Failure: failure, Duration: 40 * time.Millisecond,
		ResponseHeaders: http.Header{"Content-Type": {"application/json"}}, ResponseBody: []byte(body),
	}}
}

func inlineDelivery(state webhook.State, o webhook.Outcome) webhook.Delivery {
	return webhook.Delivery{ID: 5, State: state, Inline: true, BookingID: "1234", Attempts: 1, Completed: 1, Finished: now, Last: o}
}

func TestInlineStory(t *testing.T) {
	refused := webhook.Outcome{Status: 409, Failure: webhook.FailStatus}
	inFlight := inlineDelivery(webhook.Pending, webhook.Outcome{})
	inFlight.Completed, inFlight.NextAt = 0, now.Add(time.Minute)
	late := inFlight
	late.NextAt = now.Add(-time.Second)
	cut := inlineDelivery(webhook.Failed, webhook.Outcome{Failure: webhook.CutOff})
	cut.Completed = 0
	trial := inlineDelivery(webhook.Failed, refused)
	trial.Test = true
	for _, tt := range []struct {
		name     string
		d        webhook.Delivery
		attempts []webhook.Attempt
		what     string
		rest     string // of why or next
	}{
		{"in progress", inFlight, nil, "Bookhook is waiting for the answer", "within seconds"},
		{"not stored", late, nil, "could not be stored yet", "as soon as"},
		{"cut off", cut, nil, "stopped before it had the answer", "counts as refused"},
		{
			"accepted", inlineDelivery(webhook.Delivered, webhook.Outcome{Status: 200, Duration: 40 * time.Millisecond}), inlineAttempts(200, "", ""),
			"The receiver accepted the booking at 14:05, after 40 ms.", "",
		},
		{"refused", inlineDelivery(webhook.Failed, refused), inlineAttempts(409, webhook.FailStatus, ""), "The receiver refused the booking.", "The receiver answered 409 Conflict. If the receiver meant to accept the booking, it has to answer 200."},
		{"refused with words", inlineDelivery(webhook.Failed, refused), inlineAttempts(409, webhook.FailStatus, `{"text":"sold out"}`), "The receiver refused the booking: “sold out”.", "409 Conflict"},
		{"refused with a sentence", inlineDelivery(webhook.Failed, refused), inlineAttempts(409, webhook.FailStatus, `{"text":"Sold out."}`), "refused the booking: “Sold out.”", "409 Conflict"},
		{"a test", trial, inlineAttempts(409, webhook.FailStatus, ""), "refused the test booking", "it has to answer 200"},
		{"too late", inlineDelivery(webhook.Failed, webhook.Outcome{Failure: webhook.FailTimeout}), nil, "refused the booking.", "did not answer in time. The receiver should answer sooner, or the webhook needs a longer time limit."},
		{"a page", inlineDelivery(webhook.Failed, webhook.Outcome{Status: 200, Failure: webhook.FailAnswer}), nil, "refused the booking.", "neither empty nor a JSON object"},
		{"down", inlineDelivery(webhook.Failed, webhook.Outcome{Failure: webhook.FailRefused}), nil, "refused the booking.", "nothing is listening at the address. Check that the receiver is running, and the port in the URL. It is not sent again"},
	} {
		got := StoryOf(tt.d, tt.attempts, nil, 11, now, madrid())
		if !strings.Contains(strings.ToLower(got.What), strings.ToLower(tt.what)) || !strings.Contains(got.Why+" "+got.Next, tt.rest) || strings.Contains(got.Next, "Replay") {
			t.Errorf("%s: got %q, want %q and %q", tt.name, got, tt.what, tt.rest)
		}
	}
}

func TestPagesOfInlineWebhooks(t *testing.T) {
	for _, k := range kinds {
		w := k.webhook(0)
		w.Kind, w.TimeLimit, w.Events = webhook.Inline, 12, []string{"new_temporary_web"}
		var page, delivery strings.Builder
		props := WebhookProps{Page: k.page(webhook.RoleOperator), Webhook: w, Stats: k.stats(stats.Day)}
		for _, tab := range []templ.Component{Webhook(props), WebhookSettings(props)} {
			if err := tab.Render(t.Context(), &page); err != nil {
				t.Fatal(err)
			}
		}
		for _, want := range []string{"Has 12 seconds to answer", "Events", "new_temporary_web"} {
			if !strings.Contains(page.String(), want) {
				t.Errorf("%s: the webhook's page lacks %q", k.name, want)
			}
		}
		if strings.Contains(page.String(), "None waiting") || strings.Contains(page.String(), "at once;") {
			t.Errorf("%s: the webhook's page shows a queue or a rate limit", k.name)
		}
		p := DeliveryProps{
			Page: k.page(webhook.RoleOperator), Delivery: inlineDelivery(webhook.Delivered, webhook.Outcome{Status: 200}), Webhook: w,
			Attempts: inlineAttempts(200, "", `{"text":"held <b>","tickets":[{"value":"00123"}]}`),
		}
		if err := Delivery(p).Render(t.Context(), &delivery); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"held &lt;b&gt;", "00123", " accepted the booking"} {
			if !strings.Contains(delivery.String(), want) {
				t.Errorf("%s: the delivery's page lacks %q", k.name, want)
			}
		}
		if strings.Contains(delivery.String(), `/replay"`) || strings.Contains(delivery.String(), "Stop retrying") {
			t.Errorf("%s: the delivery's page offers what a synchronous webhook does not have", k.name)
		}
	}
}

func TestStatusOfInlineDeliveries(t *testing.T) {
	for _, k := range kinds {
		p := DeliveriesProps{Page: k.page(webhook.RoleStaff), HasInline: true, First: true, Count: webhook.Count{N: 3}, Rows: []DeliveryRow{
			{Delivery: inlineDelivery(webhook.Delivered, webhook.Outcome{Status: 200}), Platform: "Harbour"},
			{Delivery: inlineDelivery(webhook.Failed, webhook.Outcome{Status: 409, Failure: webhook.FailStatus})},
			{Delivery: inlineDelivery(webhook.Pending, webhook.Outcome{})},
		}}
		var page strings.Builder
		if err := Deliveries(p).Render(t.Context(), &page); err != nil {
			t.Fatal(err)
		}
		_, rows, _ := strings.Cut(page.String(), "<tbody")
		for _, want := range []string{">Accepted<", ">Refused<", ">Harbour<"} {
			if !strings.Contains(rows, want) {
				t.Errorf("%s: the rows lack %q", k.name, want)
			}
		}
		for _, wrong := range []string{">Delivered<", ">Failed<", "next attempt"} {
			if strings.Contains(rows, wrong) {
				t.Errorf("%s: the rows show %q for a synchronous webhook", k.name, wrong)
			}
		}
		for _, want := range []string{">Delivered or accepted<", ">Failed or refused<"} {
			if !strings.Contains(page.String(), want) {
				t.Errorf("%s: the filter lacks %q", k.name, want)
			}
		}
	}
}

func TestEventListShowsWhatItWaitsFor(t *testing.T) {
	for _, k := range kinds {
		p := EventsProps{Page: k.page(webhook.RoleStaff), First: true, Rows: []EventRow{{Event: webhook.Event{Lookup: true}, Platform: "Harbour"}}}
		var page strings.Builder
		if err := Events(p).Render(t.Context(), &page); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(page.String(), "Waiting for Harbour") || strings.Contains(page.String(), "no webhooks") {
			t.Errorf("%s: the list does not say that the event waits for its platform", k.name)
		}
	}
}

func TestEventPageOfInlineEvent(t *testing.T) {
	for _, k := range kinds {
		p := EventProps{Page: k.page(webhook.RoleStaff), Decisions: []DecisionRow{{Webhook: 7, Name: "Gate", Inline: true, Reason: webhook.ReasonEvent}}}
		var page strings.Builder
		if err := Event(p).Render(t.Context(), &page); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"No webhook is asked for this channel", "Not asked", "This type of event is not selected in the webhook."} {
			if !strings.Contains(page.String(), want) {
				t.Errorf("%s: the page lacks %q", k.name, want)
			}
		}
		if strings.Contains(page.String(), "Not sent") {
			t.Errorf("%s: the page says that it was not sent", k.name)
		}
	}
}
