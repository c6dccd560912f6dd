package tourcms_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
	"testing"

	"bookhook/platforms"
	"bookhook/platforms/tourcms"
	"bookhook/webhook"
)

var operator = webhook.Account{Number: 4069, Name: "testoperator"}

// withXML is an event with a document in its Data.
func withXML(t testing.TB, key, text string) webhook.Event {
	t.Helper()
	data, err := json.Marshal(map[string]string{key: text})
	if err != nil {
		t.Fatal(err)
	}
	return webhook.Event{Platform: "tourcms", Type: "new_confirmed_web", ChannelID: "3930", BookingID: "1234", TourIDs: []string{"12", "15"}, Data: data}
}

func TestInlineRequest(t *testing.T) {
	e := webhook.Event{Platform: "tourcms", Type: "new_confirmed_web", ChannelID: "3930", BookingID: "1234", TourIDs: []string{"12", "15"}}
	got, err := tourcms.InlineCall(&webhook.Webhook{Config: webhook.Config{URL: "https://www.example.com/notify"}}, operator, e, "EXAMPLEKEY")
	if err != nil {
		t.Fatal(err)
	}
	if want := golden(t, "inline.xml"); string(got.Body) != strings.TrimSuffix(want, "\n")+"\n" {
		t.Errorf("got  %s\nwant %s", got.Body, want)
	}
	if !phpAccepts(t, got.Body, "EXAMPLEKEY") || phpAccepts(t, got.Body, "ANOTHERKEY") {
		t.Error("the independent check takes it wrongly")
	}
	if got.Method != "POST" || got.URL != golden(t, "notify.url") || !got.Only200 || !bytes.Equal(got.Signed, got.Body) ||
		!slices.Equal(got.Header["Content-Type"], []string{"text/xml; charset=utf-8"}) {
		t.Errorf("got %s %s %v, only 200: %t", got.Method, got.URL, got.Header, got.Only200)
	}
	again, err := tourcms.Read(platforms.Inbound{
		Method: http.MethodPost, Query: five, ContentType: got.Header.Get("Content-Type"), Body: got.Body, Settings: webhook.Settings{"api_key": "EXAMPLEKEY"},
	})
	if err != nil || !slices.Equal(again.Event.TourIDs, e.TourIDs) {
		t.Errorf("read again: %+v, %v", again.Event, err)
	}
}

func TestInlineRequestXML(t *testing.T) {
	own := golden(t, "inline.xml")
	unsigned := golden(t, "show_booking.xml")
	for _, tt := range []struct {
		name  string
		event webhook.Event
		key   string // that the body is signed with
		same  bool
	}{
		{"TourCMS's with its signature", withXML(t, "xml", own), "EXAMPLEKEY", true},
		{"TourCMS's without a signature", withXML(t, "xml", unsigned), "OURKEY", false},
		{"what TourCMS answered", withXML(t, "show_booking", unsigned), "OURKEY", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := tt.event
			e.Inbound, e.Wire = true, []byte("event=x&raw=%ff")
			got, err := tourcms.InlineCall(&webhook.Webhook{Config: webhook.Config{URL: "https://example.com/?a=1"}}, operator, e, "OURKEY")
			if err != nil {
				t.Fatal(err)
			}
			if got.URL != "https://example.com/?a=1&event=x&raw=%ff" {
				t.Errorf("got %s, want the query as it came", got.URL)
			}
			if !phpAccepts(t, got.Body, tt.key) || tt.same != (string(got.Body) == own) {
				t.Errorf("got %s", got.Body)
			}
		})
	}
	t.Run("somebody else's with a signature", func(t *testing.T) {
		got, err := tourcms.InlineCall(&webhook.Webhook{}, operator, withXML(t, "xml", own), "OURKEY")
		if err == nil || !strings.Contains(words(err), "Bookhook signs") {
			t.Errorf("got %s, %v; want that only TourCMS may sign", got.Body, err)
		}
	})
	for name, e := range map[string]webhook.Event{
		"no booking": {Type: "new_temporary_web"}, "broken XML": withXML(t, "xml", "<a>"), "XML of something else": withXML(t, "xml", "<a/>"),
		"another booking": withXML(t, "xml", "<r><booking><booking_id>12345</booking_id></booking></r>"),
		"another channel": withXML(t, "xml", "<r><booking><booking_id>1234</booking_id><channel_id>1</channel_id></booking></r>"),
	} {
		if got, err := tourcms.InlineCall(&webhook.Webhook{}, operator, e, "OURKEY"); err == nil {
			t.Errorf("%s: got %s, want an error", name, got.Body)
		}
	}
}

func TestShowBooking(t *testing.T) {
	for _, tt := range []struct {
		event    webhook.Event
		has, not string
	}{
		{webhook.Event{Type: "new_quotation_web", BookingID: "a<&>\"'\x00"}, "<status>0</status>", "<component>"},
		{webhook.Event{Type: "new_provisional_staff", BookingID: "1"}, "<status>1</status>", ""},
		{webhook.Event{Type: "new_temporary_web", BookingID: "1", TourIDs: []string{"<7>"}}, "<product_id>&lt;7&gt;</product_id>", "<status"},
		{webhook.Event{Type: "temporary_booking_deleted", BookingID: "1 2"}, "booking_id=1%202</request>", "<status"},
	} {
		got := string(tourcms.ShowBooking(operator, tt.event))
		if !strings.Contains(got, tt.has) || tt.not != "" && strings.Contains(got, tt.not) {
			t.Errorf("got %s", got)
		}
		if err := xml.Unmarshal([]byte(got), new(node)); err != nil {
			t.Errorf("%v in %s", err, got)
		}
	}
}

func TestInline(t *testing.T) {
	for name, text := range map[string]string{
		"as little as possible":     "<r><booking><booking_id>1</booking_id></booking></r>",
		"two bookings":              "<r><booking><booking_id>1</booking_id></booking><booking><booking_id>2</booking_id><status/></booking></r>",
		"signed before":             "<r><signed><hash>x</hash></signed>a<booking><booking_id>1</booking_id></booking><signed/>b<signed></signed ></r>",
		"signed elsewhere":          "<r><booking><signed/><booking_id>1</booking_id></booking></r>",
		"text that looks like tags": "<r a='/r>'><!-- </r> --><![CDATA[</r>]]><booking><booking_id>&#49;<!-- x -->|2\r\n</booking_id></booking></r>\n<!-- </r> -->",
		"a DOCTYPE":                 "<!DOCTYPE r SYSTEM 'r.dtd'><r><booking><booking_id>1</booking_id></booking></r>",
		"a mark at the beginning":   "\uFEFF<?xml version='1.0'?>\n<r><booking><booking_id>ü</booking_id></booking></r  >",
	} {
		got, err := tourcms.Inline([]byte(text), "K")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got = bytes.TrimPrefix(got, []byte("\uFEFF"))
		if !phpAccepts(t, got, "K") || phpAccepts(t, got, "k") {
			t.Errorf("%s: got %s", name, got)
		}
	}
	for name, text := range map[string]string{
		"nothing": "", "no booking": "<r/>", "no id": "<r><booking/></r>", "an empty id": "<r><booking><booking_id> </booking_id></booking></r>",
		"another name space": "<r xmlns='x'><booking><booking_id>1</booking_id></booking></r>", "a declaration": "<!DOCTYPE r [<!ELEMENT r ANY>]><r><booking><booking_id>1</booking_id></booking></r>",
	} {
		if got, err := tourcms.Inline([]byte(text), "K"); err == nil {
			t.Errorf("%s: got %s, want an error", name, got)
		}
	}
	if _, err := tourcms.Inline([]byte(golden(t, "show_booking.xml")), ""); err == nil {
		t.Error("signed with an empty key")
	}
}

// Whatever goes in: what comes out is accepted by the independent check and by
// Read, and is otherwise what went in.
func FuzzInline(f *testing.F) {
	f.Add(golden(f, "show_booking.xml"), "EXAMPLEKEY")
	f.Add(golden(f, "inline.xml"), "K")
	f.Add("<r><signed/><booking><booking_id>1</booking_id><status>|</status><status/></booking><signed></signed></r>", "K")
	f.Fuzz(func(t *testing.T, text, key string) {
		got, err := tourcms.Inline([]byte(text), key)
		if err != nil {
			return
		}
		bare := bytes.TrimPrefix(got, []byte("\uFEFF"))
		if xml.Unmarshal(bare, new(node)) != nil {
			return // a version or encoding that the independent check does not read
		}
		if !phpAccepts(t, bare, key) {
			t.Errorf("the independent check does not accept %s", got)
		}
		if again, err := tourcms.Inline(got, key); err != nil || !bytes.Equal(again, got) {
			t.Errorf("signed again: %s, %v", again, err)
		}
		if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' || r == '=' }) {
			return // not a key as the settings take it
		}
		in := platforms.Inbound{Method: http.MethodPost, Query: "event=cancelled", Body: got, Settings: webhook.Settings{"api_key": key}}
		if _, err := tourcms.Read(in); err != nil && strings.Contains(words(err), "ignature") {
			t.Errorf("Read does not accept %s: %v", got, err)
		}
	})
}
