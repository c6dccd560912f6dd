package tourcms_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"bookhook/platforms/tourcms"
	"bookhook/webhook"
)

// keys of the query, in the vendor's order.
var keys = []string{"event", "account_id", "account_name", "channel_id", "booking_id"}

func TestNative(t *testing.T) {
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
			got := tourcms.Native(&webhook.Webhook{Config: webhook.Config{URL: tt.target}}, webhook.Account{Number: 4069, Name: tt.account}, tt.event)
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

// What TourCMS sent leaves with its query byte for byte, whatever the event says.
func TestNativeOfWhatCameIn(t *testing.T) {
	const wire = "event=new_confirmed_web&account_id=4069&account_name=M%FCller+%26%20Co&channel_id=3930&booking_id=1234&new%20key=%2B&&x"
	for target, want := range map[string]string{
		"https://example.com/in":                            "https://example.com/in?" + wire,
		"https://example.com/in?ApplyTourCMSPromo=FULL":     "https://example.com/in?ApplyTourCMSPromo=FULL&" + wire,
		"https://example.com/in?ApplyTourCMSPromo=DEFAULT&": "https://example.com/in?ApplyTourCMSPromo=DEFAULT&" + wire,
	} {
		e := webhook.Event{Type: "cancelled", BookingID: "9", Inbound: true, Wire: []byte(wire)}
		got := tourcms.Native(&webhook.Webhook{Config: webhook.Config{URL: target}}, webhook.Account{Number: 1, Name: "x"}, e)
		_, query, _ := strings.Cut(want, "?")
		if got.URL != want || string(got.Signed) != query || got.Method != "GET" || got.Body != nil {
			t.Errorf("got  %s\nwant %s", got.URL, want)
		}
	}
}

func TestSample(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	for _, known := range tourcms.Events() {
		got := tourcms.Sample(known.Key, "1234", now)
		if got.Platform != "tourcms" || got.Type != known.Key || got.BookingID != "1234" || !got.OccurredAt.Equal(now) {
			t.Errorf("%s: got %+v", known.Key, got)
		}
	}
}

// Whatever the values are: what a receiver reads is what went in, in order,
// after the URL as it was.
func FuzzRequest(f *testing.F) {
	f.Add("https://example.com/in?a=1", "Müller & Co", "cancelled", "3930", "1234", int64(4069))
	f.Add("http://example.com?", "", "", "", "", int64(0))
	f.Add("https://example.com/#x", "a%20b+c", "x&event=y", "\x00", "🚌", int64(-1))
	f.Fuzz(func(t *testing.T, target, name, event, channel, booking string, number int64) {
		if _, problem := webhook.CheckURL(target); !problem.IsZero() || strings.TrimSpace(target) != target {
			return
		}
		e := webhook.Event{Type: event, ChannelID: channel, BookingID: booking}
		got := tourcms.Native(&webhook.Webhook{Config: webhook.Config{URL: target}}, webhook.Account{Number: number, Name: name}, e)
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
