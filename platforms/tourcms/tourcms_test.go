package tourcms_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"bookhook/platforms/tourcms"
	"bookhook/webhook"
)

// keys of the query, in the vendor's order.
var keys = []string{"event", "account_id", "account_name", "channel_id", "booking_id"}

func TestEvents(t *testing.T) {
	want := []string{
		"new_confirmed_staff", "new_confirmed_web", "new_provisional_staff", "new_provisional_web", "new_quotation_staff",
		"new_quotation_web", "cancelled", "expq_quotation", "expp_provisional", "redeem_voucher", "token_success", "token_failure",
		"new_temporary_web", "new_temporary_staff", "temporary_booking_deleted", "check_booking_status",
	}
	var got []string
	for _, e := range tourcms.Events() {
		got = append(got, e.Key)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRequest(t *testing.T) {
	const five = "event=new_confirmed_web&account_id=4069&account_name=testoperator&channel_id=3930&booking_id=1234"
	confirmed := webhook.Event{Platform: "tourcms", Type: "new_confirmed_web", ChannelID: "3930", BookingID: "1234", Data: []byte(`{"not":"sent"}`)}
	for _, tt := range []struct {
		name, target string
		account      string
		event        webhook.Event
		want         string
	}{
		{"the vendor's example", "https://www.example.com/notify", "testoperator", confirmed, "https://www.example.com/notify?" + five},
		{"its own query first", "https://example.com/in?ApplyTourCMSPromo=FULL", "testoperator", confirmed, "https://example.com/in?ApplyTourCMSPromo=FULL&" + five},
		{"untouched query", "https://example.com/in?b=2&a=1&a=%7e+x%20y&c", "testoperator", confirmed, "https://example.com/in?b=2&a=1&a=%7e+x%20y&c&" + five},
		{"empty query", "https://example.com/in?", "testoperator", confirmed, "https://example.com/in?" + five},
		{"open query", "https://example.com/in?a=1&", "testoperator", confirmed, "https://example.com/in?a=1&" + five},
		{"no path", "https://example.com", "testoperator", confirmed, "https://example.com?" + five},
		{"port and escapes", "http://example.com:8080/a%2Fb/", "testoperator", confirmed, "http://example.com:8080/a%2Fb/?" + five},
		{
			"a key of its own by the same name", "https://example.com/?event=mine", "testoperator", confirmed,
			"https://example.com/?event=mine&" + five,
		},
		{
			"nothing known", "https://example.com/", "",
			webhook.Event{Type: "cancelled"},
			"https://example.com/?event=cancelled&account_id=4069&account_name=&channel_id=&booking_id=",
		},
		{
			"RFC 3986", "https://example.com/", "Müller & Söhne + 100% \"Tours\"/~-._*'()!🚌",
			webhook.Event{Type: "cancelled", ChannelID: "a b", BookingID: "x=1&event=y#z"},
			"https://example.com/?event=cancelled&account_id=4069&account_name=" +
				"M%C3%BCller%20%26%20S%C3%B6hne%20%2B%20100%25%20%22Tours%22%2F~-._%2A%27%28%29%21%F0%9F%9A%8C" +
				"&channel_id=a%20b&booking_id=x%3D1%26event%3Dy%23z",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tourcms.Native(&webhook.Webhook{URL: tt.target}, webhook.Account{Number: 4069, Name: tt.account}, tt.event)
			if got.URL != tt.want {
				t.Errorf("got  %s\nwant %s", got.URL, tt.want)
			}
			if got.Method != "GET" || got.Body != nil || len(got.Header) != 0 || !got.Only200 {
				t.Errorf("got %+v, want a bare GET whose success is 200", got)
			}
			if _, query, _ := strings.Cut(tt.want, "?"); string(got.Signed) != query {
				t.Errorf("got %s signed, want the query", got.Signed)
			}
		})
	}
}

// Whatever the values are: what a receiver reads is what went in, in order,
// after the URL as it was.
func FuzzRequest(f *testing.F) {
	f.Add("https://example.com/in?a=1", "Müller & Co", "cancelled", "3930", "1234", int64(4069))
	f.Add("http://example.com?", "", "", "", "", int64(0))
	f.Add("https://example.com/#x", "a%20b+c", "x&event=y", "\x00", "🚌", int64(-1))
	f.Fuzz(func(t *testing.T, target, name, event, channel, booking string, number int64) {
		if _, problem := webhook.CheckURL(target); problem != "" || strings.TrimSpace(target) != target {
			return
		}
		e := webhook.Event{Type: event, ChannelID: channel, BookingID: booking}
		got := tourcms.Native(&webhook.Webhook{URL: target}, webhook.Account{Number: number, Name: name}, e)
		if !strings.HasPrefix(got.URL, target) {
			t.Fatalf("got %q, want it to begin with %q", got.URL, target)
		}
		u, err := url.Parse(got.URL)
		if err != nil {
			t.Fatal(err)
		}
		if u.RawQuery != string(got.Signed) {
			t.Errorf("signed %q, the query is %q", got.Signed, u.RawQuery)
		}
		parts := strings.Split(u.RawQuery, "&")
		parts = parts[max(len(parts)-len(keys), 0):]
		values := []string{event, "", name, channel, booking}
		for i, part := range parts {
			key, value, _ := strings.Cut(part, "=")
			read, err := url.QueryUnescape(value)
			if err != nil || key != keys[i] || i != 1 && read != values[i] {
				t.Errorf("got %q, want %s and the value %q", part, keys[i], values[i])
			}
			if strings.ContainsAny(value, "+ #?/") {
				t.Errorf("%q has characters that are to be percent-encoded", value)
			}
		}
	})
}
