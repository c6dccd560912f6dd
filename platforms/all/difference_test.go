package all_test

import (
	"strings"
	"testing"
	"time"

	"bookhook/platforms"
	"bookhook/platforms/all"
	"bookhook/webhook"
)

// tourXML is what TourCMS sends about a booking, as the data of its event.
func tourXML(status, name, tours string) string {
	return `{"query":{"event":"x"},"xml":"<response><booking><booking_id>1234</booking_id><status_text>` + status + `</status_text><lead_customer_name>` + name +
		`</lead_customer_name><components>` + tours + `</components></booking></response>"}`
}

func component(id string) string {
	return "<component><product_id>" + id + "</product_id></component>"
}

// TestDifferences: what changed is found for every platform, in its data if they are
// JSON, and otherwise in what they say about the booking.
func TestDifferences(t *testing.T) {
	wire := []byte("event=x")
	tests := []struct {
		name          string
		before, after webhook.Event
		want          string
	}{
		{
			"JSON of a platform",
			webhook.Event{Platform: "ltd", Type: "TransactionChanged", Data: []byte(`{"Payload":{"Orders":[{"OrderStatus":"Purchased"}],"TotalAmount":108}}`)},
			webhook.Event{Platform: "ltd", Type: "TransactionChanged", Data: []byte(`{"Payload":{"Orders":[{"OrderStatus":"Cancelled"}],"TotalAmount":108}}`)},
			`replace /data/Payload/Orders/0/OrderStatus "Purchased" "Cancelled"`,
		},
		{
			"XML of TourCMS",
			webhook.Event{Platform: "tourcms", Type: "new_provisional_web", BookingID: "1234", Wire: wire, Data: []byte(tourXML("PROVISIONAL", "Ada", component("12")))},
			webhook.Event{Platform: "tourcms", Type: "cancelled", BookingID: "1234", Wire: wire, Data: []byte(tourXML("CANCELLED", "Ada", component("12")+component("15")))},
			`replace /booking/status "PROVISIONAL" "CANCELLED"; add /booking/tours/1  {"id":"15"}`,
		},
		{
			"what TourCMS does not say did not change",
			webhook.Event{Platform: "tourcms", Type: "new_confirmed_web", BookingID: "1234", Wire: wire, Data: []byte(tourXML("CONFIRMED", "Ada", component("12")))},
			webhook.Event{Platform: "tourcms", Type: "cancelled", BookingID: "1234", Wire: wire, Data: []byte(`{"query":{"event":"cancelled"}}`)},
			``,
		},
		{
			"the booking system's own JSON of a TourCMS event",
			webhook.Event{Platform: "tourcms", Type: "new_provisional_web", Data: []byte(`{"status":"PROVISIONAL"}`)},
			webhook.Event{Platform: "tourcms", Type: "new_confirmed_web", Data: []byte(`{"status":"CONFIRMED"}`)},
			`replace /data/status "PROVISIONAL" "CONFIRMED"`,
		},
		{
			"no data, another channel",
			webhook.Event{Platform: "tourcms", Type: "new_confirmed_web", ChannelID: "3930", BookingID: "1"},
			webhook.Event{Platform: "tourcms", Type: "cancelled", ChannelID: "4102", BookingID: "1"},
			`replace /booking/channel/id "3930" "4102"`,
		},
		{"an event that is about no booking", webhook.Event{Platform: "tourcms", Type: "new_temporary_web"}, webhook.Event{Platform: "tourcms", Type: "cancelled"}, ``},
		{"a platform that is gone", webhook.Event{Platform: "gone"}, webhook.Event{Platform: "gone"}, ``},
	}
	for _, tt := range tests {
		found, more := all.Platforms().Differences(tt.before, tt.after)
		texts := make([]string, len(found))
		for i, d := range found {
			texts[i] = strings.Join([]string{string(d.Op), d.Path, string(d.Was), string(d.Value)}, " ")
		}
		if got := strings.Join(texts, "; "); got != tt.want || more {
			t.Errorf("%s: got %s, %v, want %s", tt.name, got, more, tt.want)
		}
	}
}

// TestNothingChanges: no platform finds a difference between an event and itself.
func TestNothingChanges(t *testing.T) {
	for _, p := range all.Platforms() {
		for _, e := range p.Events {
			sample := p.Sample(e.Key, "1", time.Unix(1_800_000_000, 0))
			if found, more := (platforms.Registry{p}).Differences(sample, sample); len(found) > 0 || more {
				t.Errorf("%s: got %v", webhook.EventKey(p.Key, e.Key), found)
			}
		}
	}
}
