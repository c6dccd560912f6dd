package views

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"bookhook/webhook"
)

// step is an event with a delivery of each state, and webhooks that did not get it.
func (k kind) step(i int) BookingStep {
	s := BookingStep{
		Event: webhook.Event{
			ID: 77, Platform: "tourcms", Type: "cancelled", ChannelID: k.text("3930"), TourIDs: []string{"101", k.text("9")}, BookingID: k.text("12345"), ReceivedAt: now.Add(-time.Duration(i) * time.Hour), Test: i == 2,
		},
		EventName: k.text("Cancelled"), Platform: k.text("TourCMS"), Names: Names{Channels: map[string]string{k.text("3930"): k.text("Website")}, Tours: map[string]string{"101": k.text("Night Walk")}}, Compared: i != 1, MoreChanges: i == 0,
	}
	for n := range 9 - i {
		s.Changes = append(s.Changes, webhook.Difference{Path: fmt.Sprint("/data/", k.text("guest"), "/", n), Op: webhook.Replaced, Was: quotedJSON(k.text("Ada")), Value: quotedJSON(k.text("Zoë"))})
	}
	for n := range 8 {
		d := k.delivery(n)
		row := BookingDecision{Sent: true, DecisionRow: DecisionRow{Webhook: webhook.WebhookID(9e16 + n), Name: k.webhook(n).Name, Deleted: n == 6, Delivery: &d}, Receiver: k.webhook(n), Attempts: k.attempts(d)}
		if n == 4 {
			row.Reason = webhook.ReasonDisabled
		}
		s.Decisions = append(s.Decisions, row)
	}
	for n := range 3 {
		s.Decisions = append(s.Decisions, BookingDecision{DecisionRow: DecisionRow{Webhook: webhook.WebhookID(9e16 + 10 + n), Name: k.webhook(n).Name, Inline: n == 1, Reason: webhook.ReasonTourExcluded}})
	}
	return s
}

func quotedJSON(text string) []byte { return webhook.AppendJSON(nil, text) }

// shownText is the text of a component, on one line.
func shownText(t *testing.T, c templ.Component) string {
	t.Helper()
	var out bytes.Buffer
	if err := c.Render(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for {
		before, rest, found := strings.Cut(text, "<")
		if !found {
			return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), " ,", ",")
		}
		_, after, _ := strings.Cut(rest, ">")
		text = before + " " + after
	}
}

// TestArrived: the box of a booking says whether it arrived everywhere, and names
// first who did not get it.
func TestArrived(t *testing.T) {
	delivered, waiting, failed, stopped := webhook.Delivered, webhook.Pending, webhook.Failed, webhook.Cancelled
	decide := func(hook string, s webhook.State, reason webhook.Reason) BookingDecision {
		d := BookingDecision{DecisionRow: DecisionRow{Webhook: webhook.WebhookID(hook[0]), Name: hook, Reason: reason}, Sent: s != "" || reason == ""}
		if s != "" {
			d.Delivery = &webhook.Delivery{ID: 1, State: s, Attempts: 1, Completed: 1}
		}
		return d
	}
	step := func(decisions ...BookingDecision) BookingStep { return BookingStep{Decisions: decisions} }
	tests := []struct {
		name   string
		events []BookingStep
		want   string
	}{
		{"all", []BookingStep{step(decide("A", delivered, "")), step(decide("A", delivered, ""))}, "Arrived everywhere A received both events that were sent to it."},
		{
			"one webhook failed",
			[]BookingStep{step(decide("A", delivered, ""), decide("B", failed, "")), step(decide("A", delivered, ""), decide("B", delivered, ""))},
			"Did not arrive everywhere B did not receive 1 of 2 events. View delivery to B A received both events that were sent to it.",
		},
		{"stopped", []BookingStep{step(decide("A", stopped, ""))}, "Did not arrive everywhere A did not receive the event. View delivery to A"},
		{"waiting", []BookingStep{step(decide("A", waiting, "")), step(decide("A", delivered, ""))}, "Still on its way A has not received 1 of 2 events yet. View delivery to A"},
		{"no longer in the log", []BookingStep{step(decide("A", "", ""))}, "Arrived everywhere A no longer in the log."},
		{
			"not sent",
			[]BookingStep{step(decide("A", "", webhook.ReasonTourExcluded)), step(decide("A", "", webhook.ReasonDisabled))},
			"Sent to no webhook A not sent: all of the booking’s tours are excluded in the webhook.",
		},
		{
			"several at once",
			[]BookingStep{step(decide("A", delivered, ""), decide("B", delivered, ""), decide("C", failed, ""), decide("D", "", webhook.ReasonDisabled), decide("E", delivered, ""), decide("F", "", webhook.ReasonNoTour))},
			"Did not arrive everywhere C did not receive the event. View delivery to C A, B and E received everything that was sent to them. Not sent to D and F",
		},
		{"sent by hand later", []BookingStep{step(decide("A", delivered, webhook.ReasonDisabled))}, "Arrived everywhere A received the event that was sent to it."},
		{"no webhook", []BookingStep{{}}, "Sent to no webhook"},
		{"tests do not count", []BookingStep{{Event: webhook.Event{Test: true}, Decisions: []BookingDecision{decide("A", failed, "")}}}, "Sent to no webhook"},
	}
	for _, tt := range tests {
		if got := shownText(t, arrived(BookingProps{Events: tt.events, First: true})); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// TestArrivedIsFolded: of an event that arrived at many webhooks, a row is at hand only
// for those where it did not.
func TestArrivedIsFolded(t *testing.T) {
	decide := func(hook string, state webhook.State) BookingDecision {
		return BookingDecision{DecisionRow: DecisionRow{Webhook: webhook.WebhookID(hook[0]), Name: hook, Delivery: &webhook.Delivery{ID: 1, State: state, Attempts: 1, Completed: 1}}, Sent: true}
	}
	for deliveries, want := range map[string]bool{"AB": false, "ABC": true} {
		s := BookingStep{Decisions: []BookingDecision{decide("X", webhook.Failed)}}
		for _, hook := range deliveries {
			s.Decisions = append(s.Decisions, decide(string(hook), webhook.Delivered))
		}
		var out bytes.Buffer
		if err := bookingStep(BookingProps{}, s).Render(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		failed, folded := strings.Index(out.String(), ">X<"), strings.Index(out.String(), "Delivered to A, B and C")
		if got := folded >= 0; got != want || failed < 0 || folded >= 0 && folded < failed {
			t.Errorf("%s: folded %v behind the one that failed, want %v", deliveries, got, want)
		}
	}
}

// TestChanges: differences in words, the status first, and what the event's type says
// anyway left out.
func TestChanges(t *testing.T) {
	s := BookingStep{
		Event: webhook.Event{Type: "booking.cancelled", ExternalID: "in:wink:ev-2"},
		Changes: []webhook.Difference{
			{Path: "/data/eventId", Op: webhook.Replaced, Was: []byte(`"ev-1"`), Value: []byte(`"ev-2"`)},
			{Path: "/data/type", Op: webhook.Replaced, Was: []byte(`"booking.create"`), Value: []byte(`"booking.cancelled"`)},
			{Path: "/data/guests/0/first_name", Op: webhook.Added, Value: []byte(`"<Ada>"`)},
			{Path: "/data/note", Op: webhook.Removed, Was: quotedJSON(strings.Repeat("x", 500))},
			{Path: "/data/phone", Op: webhook.Replaced, Was: []byte(`null`), Value: []byte(`""`)},
			{Path: "/booking/status", Op: webhook.Replaced, Was: []byte(`"PROVISIONAL"`), Value: []byte(`"CONFIRMED"`)},
		},
	}
	want := "status CONFIRMED, was PROVISIONAL guests 1 first name &lt;Ada&gt; added note removed, was " + strings.Repeat("x", shownValue) + "… phone empty, was nothing"
	if got := shownText(t, changed(s)); got != want {
		t.Errorf("\ngot  %s\nwant %s", got, want)
	}
	if got, want := shownText(t, changed(BookingStep{Compared: true})), "Nothing else changed, as far as the event says."; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestHrefBooking(t *testing.T) {
	for reference, want := range map[string]string{
		"1234": "/bookings/1234", "A/1 #2?": "/bookings/A%2F1%20%232%3F", "é%": "/bookings/%C3%A9%25", "a+b;c": "/bookings/a+b%3Bc",
		".": "/events?booking_id=.", "..": "/events?booking_id=..", "...": "/bookings/...",
	} {
		if got := hrefBooking(reference); got != want {
			t.Errorf("%s: got %s, want %s", reference, got, want)
		}
	}
}
