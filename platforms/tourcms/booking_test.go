package tourcms_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"bookhook/platforms"
	"bookhook/platforms/tourcms"
	"bookhook/webhook"
)

func TestBookingOfXML(t *testing.T) {
	for _, key := range []string{"xml", "show_booking"} {
		got := tourcms.Booking(withXML(t, key, golden(t, "show_booking.xml")))
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(got); err != nil {
			t.Fatal(err)
		}
		if want := golden(t, "booking.json"); text.String() != want {
			t.Errorf("%s: got %s\nwant %s", key, text.String(), want)
		}
	}
}

func TestBookingActions(t *testing.T) {
	want := map[string]platforms.Action{
		"new_confirmed_staff": platforms.Made, "new_confirmed_web": platforms.Made, "new_provisional_staff": platforms.Made,
		"new_provisional_web": platforms.Made, "new_quotation_staff": platforms.Made, "new_quotation_web": platforms.Made,
		"cancelled": platforms.BookingCancelled, "redeem_voucher": platforms.Redeemed, "token_success": platforms.Paid,
	}
	for _, known := range tourcms.Events() {
		got := tourcms.Booking(webhook.Event{Type: known.Key})
		if got == nil && want[known.Key] != "" || got != nil && got.Action != want[known.Key] {
			t.Errorf("%s: got %+v, want %q", known.Key, got, want[known.Key])
		}
	}
}

// What is not there is absent.
func TestBookingOfLess(t *testing.T) {
	const begin, end = "<r><booking>", "</booking></r>"
	named := &platforms.Named{ID: "3930"}
	bare := []platforms.BookedTour{{Named: platforms.Named{ID: "12"}}, {Named: platforms.Named{ID: "15"}}}
	for _, tt := range []struct {
		name, xml string
		want      platforms.Booking
	}{
		{"no XML", "", platforms.Booking{Reference: "1234", Channel: named, Tours: bare}},
		{"broken XML", "<r>", platforms.Booking{Reference: "1234", Channel: named, Tours: bare}},
		{"XML of something else", "<r/>", platforms.Booking{Reference: "1234", Channel: named, Tours: bare}},
		{"an empty booking", begin + end, platforms.Booking{Reference: "1234", Channel: named}},
		{
			"amounts that are no numbers", begin + "<sales_revenue>1,200.00</sales_revenue><sale_currency>EUR</sale_currency>" + end,
			platforms.Booking{Reference: "1234", Channel: named},
		},
		{
			"names in parts, no currency", begin + "<sales_revenue> -0.5</sales_revenue><lead_customer_firstname>A</lead_customer_firstname><lead_customer_tel_home>1</lead_customer_tel_home>" + end,
			platforms.Booking{Reference: "1234", Channel: named, Customer: &platforms.Customer{Name: "A", Phone: "1"}, Total: &platforms.Money{Amount: "-0.5"}},
		},
	} {
		e := withXML(t, "xml", tt.xml)
		tt.want.Action = platforms.Made
		if got := tourcms.Booking(e); !reflect.DeepEqual(*got, tt.want) {
			t.Errorf("%s: got %+v, want %+v", tt.name, *got, tt.want)
		}
	}
	for _, data := range []string{"", "null", "[1]", `"xml"`, `{"xml":7}`, `{"not":"ours"}`} {
		got := tourcms.Booking(webhook.Event{Type: "cancelled", BookingID: "1", Data: []byte(data)})
		if want := (platforms.Booking{Action: platforms.BookingCancelled, Reference: "1"}); !reflect.DeepEqual(*got, want) {
			t.Errorf("%s: got %+v, want %+v", data, *got, want)
		}
	}
}
