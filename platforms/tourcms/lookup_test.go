package tourcms_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"bookhook/platforms"
	"bookhook/platforms/tourcms"
	"bookhook/webhook"
)

var now = time.Date(2025, 1, 20, 23, 19, 43, 987, time.FixedZone("", 3600))

// apiKeys are the keys that the fake TourCMS knows: of operators by channel, of
// a marketplace agent.
var apiKeys = map[string]string{"3930:0": "KEY-3930", "3931:0": "KEY-3931", "0:126": "AGENTKEY", "3930:126": "AGENTKEY"}

// fakeTourCMS answers from testdata when the signature is right, which it checks
// for itself, from the vendor's page "Making a connection".
func fakeTourCMS(t *testing.T) string {
	answers := map[string]string{
		"/c/booking/show.xml?booking_id=1234": "show_booking.xml", "/c/tours/list.xml": "tours.xml", "/p/tours/list.xml": "tours.xml",
		"/c/channel/show.xml": "channels.xml", "/p/channels/list.xml": "channels.xml",
	}
	form := regexp.MustCompile(`^TourCMS ([0-9]+):([0-9]+):([A-Za-z0-9%]+)$`)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		parts := form.FindStringSubmatch(r.Header.Get("Authorization"))
		at, err := time.Parse("Mon, 02 Jan 2006 15:04:05 GMT", r.Header.Get("x-tourcms-date"))
		if parts == nil || err != nil {
			fmt.Fprintf(w, "<response><error>PREV_ERROR: %v %v</error></response>", parts, err)
			return
		}
		mac := hmac.New(sha256.New, []byte(apiKeys[parts[1]+":"+parts[2]]))
		fmt.Fprintf(mac, "%s/%s/%s/%d%s", parts[1], parts[2], r.Method, at.Unix(), r.RequestURI)
		sent, _ := url.PathUnescape(parts[3])
		if base64.StdEncoding.EncodeToString(mac.Sum(nil)) != sent || parts[2] == "0" && strings.HasPrefix(r.URL.Path, "/p/") {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, "<response><error>FAIL_AUTH</error></response>")
			return
		}
		fmt.Fprint(w, golden(t, answers[r.RequestURI]))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// send makes a request that the package wrote.
func send(t *testing.T, question platforms.Request, err error) (int, []byte) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), question.Method, question.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = question.Header
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var body strings.Builder
	if err := response.Write(&body); err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(body.String(), "\r\n\r\n")
	return response.StatusCode, []byte(text)
}

func TestLookup(t *testing.T) {
	lookup, address := tourcms.Lookup(), fakeTourCMS(t)
	e := webhook.Event{Type: "cancelled", ChannelID: "3930", BookingID: "1234", Data: []byte(`{"query":{"event":"cancelled"}}`)}
	for _, s := range []webhook.Settings{
		{"api_key": "KEY-3930"}, {"api_key": "3930=KEY-3930 3931=KEY-3931", "marketplace_id": "0"}, {"api_key": "AGENTKEY", "marketplace_id": "126"},
	} {
		s["api_url"] = address + "/"
		if !lookup.Wanted(s, e) {
			t.Errorf("%v: not wanted", s)
		}
		question, err := lookup.Request(s, e, now)
		status, body := send(t, question, err)
		got, err := lookup.Read(e, status, body)
		if err != nil || !slices.Equal(got.TourIDs, []string{"12", "15"}) {
			t.Errorf("%v: got %v, %v", s, got.TourIDs, err)
		}
		var data map[string]json.RawMessage
		var answer string
		if err := json.Unmarshal(got.Data, &data); err != nil || json.Unmarshal(data["show_booking"], &answer) != nil || answer != golden(t, "show_booking.xml") ||
			!strings.HasPrefix(string(got.Data), `{"query":{"event":"cancelled"},"show_booking":"`) {
			t.Errorf("got %s, %v", got.Data, err)
		}
		if lookup.Wanted(s, got) {
			t.Error("still wanted")
		}
	}
	question, err := lookup.Request(webhook.Settings{"api_key": "WRONG", "api_url": address}, e, now)
	status, body := send(t, question, err)
	if _, err := lookup.Read(e, status, body); err == nil || !strings.Contains(words(err), "“FAIL_AUTH” (status 401)") {
		t.Errorf("got %v", err)
	}
}

func TestLookupRequest(t *testing.T) {
	lookup := tourcms.Lookup()
	for _, tt := range []struct {
		name           string
		s              webhook.Settings
		channel, begin string // of the Authorization; an error when it has no "TourCMS"
	}{
		{"one key", webhook.Settings{"api_key": "K"}, "3930", "TourCMS 3930:0:"},
		{"one key, no channel", webhook.Settings{"api_key": "K"}, "", "TourCMS 0:0:"},
		{"a channel's key, no channel", webhook.Settings{"api_key": "3930=K"}, "", "TourCMS 3930:0:"},
		{"an agent, no channel", webhook.Settings{"api_key": "K", "marketplace_id": " 126 "}, "", "TourCMS 0:126:"},
		{"a channel without a key", webhook.Settings{"api_key": "3930=K"}, "3931", "no API key is stored for channel 3931"},
		{"channels, no channel", webhook.Settings{"api_key": "3930=K 3931=L"}, "", "no API key is stored for channel 0"},
		{"a channel that is none", webhook.Settings{"api_key": "K"}, "3930:0:x", "its channels are numbers"},
	} {
		got, err := lookup.Request(tt.s, webhook.Event{ChannelID: tt.channel, BookingID: "1 &2"}, now)
		if err != nil {
			if !strings.Contains(words(err), tt.begin) {
				t.Errorf("%s: got %v", tt.name, err)
			}
			continue
		}
		if got.URL != "https://api.tourcms.com/c/booking/show.xml?booking_id=1%20%262" || got.Method != "GET" || got.Body != nil {
			t.Errorf("%s: got %s %s", tt.name, got.Method, got.URL)
		}
		if !strings.HasPrefix(got.Header.Get("Authorization"), tt.begin) || got.Header.Get("x-tourcms-date") != "Mon, 20 Jan 2025 22:19:43 GMT" {
			t.Errorf("%s: got %v", tt.name, got.Header)
		}
	}
}

func TestLookupWanted(t *testing.T) {
	s := webhook.Settings{"api_key": "K"}
	for _, tt := range []struct {
		name string
		s    webhook.Settings
		e    webhook.Event
		want bool
	}{
		{"a booking", s, webhook.Event{BookingID: "1"}, true},
		{"other data", s, webhook.Event{BookingID: "1", Data: []byte(`[1]`)}, true},
		{"no key", webhook.Settings{"api_key": " "}, webhook.Event{BookingID: "1"}, false},
		{"no settings", nil, webhook.Event{BookingID: "1"}, false},
		{"no booking", s, webhook.Event{}, false},
		{"tours", s, webhook.Event{BookingID: "1", TourIDs: []string{"2"}}, false},
		{"XML", s, webhook.Event{BookingID: "1", Data: []byte(`{"xml":"<a/>"}`)}, false},
	} {
		if got := tourcms.Lookup().Wanted(tt.s, tt.e); got != tt.want {
			t.Errorf("%s: got %t", tt.name, got)
		}
	}
}

func TestLookupRead(t *testing.T) {
	e := webhook.Event{BookingID: "1", Data: []byte(`{"a":1}`)}
	const right = "<r><error>OK</error><booking><booking_id>1</booking_id></booking></r>"
	for _, tt := range []struct {
		name   string
		status int
		body   string
		word   string
	}{
		{"an error", 200, "<response><request/><error>NO BOOKING FOUND</error></response>", "“NO BOOKING FOUND” (status 200)"},
		{"an error page", 502, "<html><p>Bad Gateway</html>", "answered 502"},
		{"nothing", 200, "", "no XML"},
		{"no error element", 200, "<response/>", "without the element error"},
		{"right, with another status", 203, right, "answered 203"},
		{"another booking", 200, strings.Replace(right, ">1<", ">2<", 1), "“2”"},
		{"no booking", 200, "<r><error>OK</error></r>", "the booking “”"},
		{"an entity", 200, "<!DOCTYPE r [<!ENTITY x 'OK'>]><r><error>&x;</error></r>", "DOCTYPE"},
		{"not UTF-8", 200, "<r><error>\xff</error></r>", "UTF-8"},
	} {
		got, err := tourcms.Lookup().Read(e, tt.status, []byte(tt.body))
		if err == nil || !strings.Contains(words(err), tt.word) || !reflect.DeepEqual(got, e) {
			t.Errorf("%s: got %+v, %v", tt.name, got, err)
		}
	}
	latin1 := strings.Replace("<?xml version='1.0' encoding='ISO-8859-1'?>"+right, "<r>", "<r>\xeb", 1)
	if got, err := tourcms.Lookup().Read(e, 200, []byte(latin1)); err != nil || !strings.Contains(string(got.Data), "<r>ë") {
		t.Errorf("in another encoding: got %s, %v", got.Data, err)
	}
	for data, want := range map[string]string{
		"": `{"show_booking":`, "null": `{"show_booking":`, " { } ": `{"show_booking":`, "{\"a\": 1.0 \n}\n": `{"a": 1.0,"show_booking":`, "[1]": `[1]`, "7": `7`,
	} {
		e.Data = []byte(data)
		got, err := tourcms.Lookup().Read(e, 200, []byte(right))
		if err != nil || !strings.HasPrefix(string(got.Data), want) || !json.Valid(got.Data) || got.TourIDs != nil {
			t.Errorf("%q: got %s, %v", data, got.Data, err)
		}
	}
}

func TestLists(t *testing.T) {
	lists, address := tourcms.Lists(), fakeTourCMS(t)
	if lists.Ready(nil) || !lists.Ready(webhook.Settings{"api_key": "K"}) {
		t.Error("it is ready with a key, and only then")
	}
	want := map[webhook.ItemKind][]webhook.Item{
		webhook.Channels: {{ID: "3930", Name: "Example Tours & Treks"}, {ID: "3931", Name: "Line\n break"}, {ID: "3930", Name: "The same once more"}},
		webhook.Tours:    {{ID: "12", Name: "Old Town Walk"}, {ID: "15"}},
	}
	for _, s := range []webhook.Settings{{"api_key": "3931=KEY-3931 3930=KEY-3930"}, {"api_key": "AGENTKEY", "marketplace_id": "126"}} {
		s["api_url"] = address
		for kind, items := range want {
			questions, err := lists.Requests(s, kind, now)
			if err != nil || len(questions) != len(strings.Fields(s["api_key"])) {
				t.Fatalf("%v, %s: got %d questions, %v, want one for each key", s, kind, len(questions), err)
			}
			for _, question := range questions {
				status, body := send(t, question, nil)
				got, err := lists.Read(kind, status, body)
				if err != nil || !reflect.DeepEqual(got, items) {
					t.Errorf("%v, %s: got %+v, %v", s, kind, got, err)
				}
			}
		}
	}
	if _, err := lists.Requests(webhook.Settings{"api_key": "K"}, webhook.Tours, now); err == nil || !strings.Contains(words(err), "3930=KEY") {
		t.Errorf("an operator's key without its channel: got %v", err)
	}
}

func TestListsRead(t *testing.T) {
	lists := tourcms.Lists()
	if got, err := lists.Read(webhook.Tours, 200, []byte("<r><error>FAIL</error></r>")); err == nil || !strings.Contains(words(err), "“FAIL”") {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := lists.Read(webhook.Channels, 200, []byte("<r><error>OK</error><tour><tour_id>1</tour_id></tour></r>")); err != nil || len(got) != 0 {
		t.Errorf("no channels: got %+v, %v", got, err)
	}
}

// FuzzAnswer wants that whatever the API answers, it is read, or refused with words; and
// that the event stays one that can be stored, and its document the one that came.
func FuzzAnswer(f *testing.F) {
	for _, name := range []string{"show_booking.xml", "tours.xml", "channels.xml"} {
		f.Add(200, []byte(golden(f, name)), []byte(`{"a":1}`))
	}
	f.Add(401, []byte("<response><error>FAIL_AUTH</error></response>"), []byte(nil))
	f.Add(200, []byte("\xff\xfe<\x00r\x00/\x00>\x00"), []byte("null"))
	f.Add(200, []byte("<?xml version='1.0' encoding='iso-8859-1'?><response><error>OK</error><booking><booking_id>1234</booking_id><x>\xeb</x></booking></response>"), []byte(" { } "))
	f.Add(200, []byte("<response><error>OK</error><tour><tour_id>1</tour_id></tour><channel><channel_id>2</channel_id></channel></response>"), []byte("[1]"))
	f.Fuzz(func(t *testing.T, status int, body, data []byte) {
		if len(data) > 0 && !json.Valid(data) {
			return // checked before
		}
		e := webhook.Event{Platform: "tourcms", BookingID: "1234", Data: data}
		got, err := tourcms.Lookup().Read(e, status, body)
		if err == nil && (!json.Valid(got.Data) || got.BookingID != "1234" || platforms.CheckRefs(got) != nil) {
			t.Errorf("got %+v with the data %q", got, got.Data)
		}
		if err != nil && (words(err) == "" || !reflect.DeepEqual(got, e)) {
			t.Errorf("got %+v beside %q", got, words(err))
		}
		if booking := tourcms.Booking(got); booking != nil && !json.Valid(platforms.StandardBody(got, 4069, booking)) {
			t.Errorf("the standard body is no JSON with %+v", booking)
		}
		for _, kind := range []webhook.ItemKind{webhook.Channels, webhook.Tours} {
			items, err := tourcms.Lists().Read(kind, status, body)
			if err != nil && (words(err) == "" || items != nil) {
				t.Errorf("got %v beside %q", items, words(err))
			}
			for _, item := range items {
				if !utf8.ValidString(item.ID + item.Name) {
					t.Errorf("got %q", item)
				}
			}
		}
	})
}
