package tourcms_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"bookhook/platforms"
	"bookhook/platforms/all"
	"bookhook/platforms/tourcms"
	"bookhook/webhook"
)

const five = "event=new_confirmed_web&account_id=4069&account_name=testoperator&channel_id=3930&booking_id=1234"

func get(query string) platforms.Inbound {
	return platforms.Inbound{Method: http.MethodGet, Query: query}
}

func post(query, body string) platforms.Inbound {
	return platforms.Inbound{Method: http.MethodPost, Query: query, ContentType: "text/xml", Body: []byte(body)}
}

// refused wants a Rejected with this status whose message has the word.
func refused(t *testing.T, err error, status int, word string) {
	t.Helper()
	rejected, ok := errors.AsType[platforms.Rejected](err)
	if !ok || rejected.Status != status || !strings.Contains(all.Platforms().Text(rejected.Why), word) {
		t.Errorf("got %v (%+v), want %d with %q", err, rejected, status, word)
	}
}

func TestReadTheVendorsExample(t *testing.T) {
	_, query, _ := strings.Cut(golden(t, "notify.url"), "?")
	got, err := tourcms.Read(get(query))
	if err != nil {
		t.Fatal(err)
	}
	e := got.Event
	if e.Platform != "tourcms" || e.Type != "new_confirmed_web" || e.ChannelID != "3930" || e.BookingID != "1234" || e.TourIDs != nil || !e.OccurredAt.IsZero() {
		t.Errorf("got %+v", e)
	}
	if got.Identity != "" || got.Within != time.Minute || !e.Inbound || string(e.Wire) != query {
		t.Errorf("got identity %q within %v, inbound %t, wire %s", got.Identity, got.Within, e.Inbound, e.Wire)
	}
	const data = `{"query":{"event":"new_confirmed_web","account_id":"4069","account_name":"testoperator","channel_id":"3930","booking_id":"1234"}}`
	if string(e.Data) != data {
		t.Errorf("got %s", e.Data)
	}
	out := tourcms.Native(&webhook.Webhook{Config: webhook.Config{URL: "https://www.example.com/notify"}}, webhook.Account{}, e)
	if out.URL != golden(t, "notify.url") {
		t.Errorf("it leaves as %s", out.URL)
	}
}

func TestReadQuery(t *testing.T) {
	for _, tt := range []struct{ name, query, data string }{
		{"unknown keys, one of them twice", five + "&new%20key=a+b%2B&x=1&x=%32&flag", `"new key":"a b+","x":["1","2"],"flag":""}}`},
		{"another encoding of the name", "event=cancelled&account_name=M%FCller+%26%20S\xf6hne", `{"query":{"event":"cancelled","account_name":"M` + "\uFFFD" + `ller & S` + "\uFFFD" + `hne"}}`},
		{"a broken escape in an unknown key", "event=cancelled&a%=%zz&b%FF=%FF", `"a%":"%zz","b` + "\uFFFD" + `":"` + "\uFFFD" + `"}}`},
		{"as little as possible", "event=cancelled", `{"query":{"event":"cancelled"}}`},
		{"empty parts", "&&event=cancelled&", `{"query":{"event":"cancelled"}}`},
		{"an escaped key", "%65vent=cancelled", `{"query":{"event":"cancelled"}}`},
		{"its own promotion key", "ApplyTourCMSPromo=FULL&" + five, `{"query":{"ApplyTourCMSPromo":"FULL","event":"new_confirmed_web"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tourcms.Read(get(tt.query))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(got.Event.Data), tt.data) {
				t.Errorf("got %s, want %s in it", got.Event.Data, tt.data)
			}
			if string(got.Event.Wire) != tt.query {
				t.Errorf("got wire %q, want it as it came", got.Event.Wire)
			}
		})
	}
}

func TestReadRefusesQuery(t *testing.T) {
	for _, tt := range []struct {
		name, query string
		status      int
		word        string
	}{
		{"nothing", "", 400, "names no event"},
		{"no event", "account_id=4069&booking_id=1234", 400, "names no event"},
		{"empty event", "event=&booking_id=1234", 400, "names no event"},
		{"unknown event", "event=confirmed&booking_id=1234", 422, "confirmed"},
		{"event in capitals", "event=Cancelled", 422, "Cancelled"},
		{"event with more behind it", "event=cancelled.now", 422, "cancelled.now"},
		{"event twice", "event=cancelled&event=cancelled", 400, "event more than once"},
		{"account_id twice", five + "&account_id=1", 400, "account_id more than once"},
		{"account_name twice", five + "&account_name=1", 400, "account_name more than once"},
		{"channel_id twice", five + "&channel_id=1", 400, "channel_id more than once"},
		{"booking_id twice, once escaped", five + "&booking%5Fid=1", 400, "booking_id more than once"},
		{"broken escape in booking_id", "event=cancelled&booking_id=%1", 400, "booking_id"},
		{"broken escape in account_name", "event=cancelled&account_name=100%", 400, "account_name"},
		{"event not UTF-8", "event=%FF", 400, "UTF-8"},
		{"channel_id not UTF-8", "event=cancelled&channel_id=%FF", 400, "UTF-8"},
		{"booking_id not UTF-8", "event=cancelled&booking_id=\xff", 400, "UTF-8"},
		{"booking_id with a line break", "event=cancelled&booking_id=1%0A2", 400, "booking_id"},
		{"booking_id too long", "event=cancelled&booking_id=" + strings.Repeat("1", 101), 400, "booking_id"},
		{"a space", "event=cancelled&x=a b", 400, "no URL can have"},
		{"a line break", "event=cancelled&x=a\r\nb", 400, "no URL can have"},
		{"a fragment", "event=cancelled#x", 400, "no URL can have"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tourcms.Read(get(tt.query))
			refused(t, err, tt.status, tt.word)
		})
	}
}

func TestReadPost(t *testing.T) {
	body := golden(t, "show_booking.xml")
	in := post("event=new_temporary_web&account_id=4069", body)
	got, err := tourcms.Read(in)
	if err != nil {
		t.Fatal(err)
	}
	e := got.Event
	if e.Type != "new_temporary_web" || e.ChannelID != "3930" || e.BookingID != "1234" || !slices.Equal(e.TourIDs, []string{"12", "15"}) {
		t.Errorf("got %+v", e)
	}
	var data struct {
		Query map[string]string
		XML   string
	}
	if err := json.Unmarshal(e.Data, &data); err != nil || data.XML != body || data.Query["account_id"] != "4069" {
		t.Errorf("got %s, %v; want the XML as it came", e.Data, err)
	}
	if string(e.Wire) != in.Query || !e.Inbound {
		t.Errorf("got wire %q, want the query as it came", e.Wire)
	}
	if out := tourcms.Native(&webhook.Webhook{Config: webhook.Config{URL: "https://example.com/"}}, webhook.Account{}, e); out.Method != "GET" || out.URL != "https://example.com/?"+in.Query {
		t.Errorf("to a webhook that is called afterwards it is sent as %s %s", out.Method, out.URL)
	}
}

func TestReadTypes(t *testing.T) {
	body := golden(t, "show_booking.xml")
	for contentType, status := range map[string]int{
		"": 0, "text/xml": 0, `text/xml;charset="utf-8"`: 0, "application/xml; charset=UTF-8": 0, "application/soap+xml": 0, "Application/XML": 0,
		"application/x-www-form-urlencoded": 0, "application/octet-stream": 0, "text/xml;": 0, "text/xml; charset": 0,
		"application/json": 415, "text/html": 415, "text/plain": 0, "multipart/form-data; boundary=x": 415, "xml": 415, ";": 0,
		"text/xml; charset=iso-8859-1": 0, "text/xml; charset=x-unknown": 0, // the document is UTF-8
	} {
		in := post(five, body)
		in.ContentType = contentType
		_, err := tourcms.Read(in)
		if status == 0 && err != nil {
			t.Errorf("%q: %v", contentType, err)
		} else if status > 0 {
			refused(t, err, status, "")
		}
	}
}

func TestReadRefusesBody(t *testing.T) {
	deep := func(levels int) string {
		return strings.Repeat("<a>", levels) + strings.Repeat("</a>", levels)
	}
	laughs := `<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]><response>&lol2;</response>`
	for _, tt := range []struct{ name, body, word string }{
		{"empty", "", "no XML"},
		{"white space", " \r\n\t", "no XML"},
		{"no markup", "hello", "outside of its root"},
		{"JSON", `{"booking_id":1}`, "outside of its root"},
		{"a DOCTYPE with declarations", "<!DOCTYPE response [<!ELEMENT response ANY>]><response/>", "DOCTYPE"},
		{"two DOCTYPEs", "<!DOCTYPE response><!DOCTYPE response><response/>", "DOCTYPE"},
		{"a DOCTYPE behind", "<response/><!DOCTYPE response>", "DOCTYPE"},
		{"a DOCTYPE in small letters", "<!doctype html><html/>", "DOCTYPE"},
		{"an external entity", `<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>`, "DOCTYPE"},
		{"billion laughs", laughs, "DOCTYPE"},
		{"a declaration inside", "<response><!ELEMENT a></response>", "DOCTYPE"},
		{"a parameter entity", `<!DOCTYPE r [<!ENTITY % x SYSTEM "http://127.0.0.1/">%x;]><r/>`, "DOCTYPE"},
		{"an entity of a DOCTYPE's file", `<!DOCTYPE r SYSTEM "r.dtd"><r>&x;</r>`, "&x;"},
		{"an entity of HTML", "<response>&nbsp;</response>", "&nbsp;"},
		{"an entity of nobody", "<response a='&x;'/>", "&x;"},
		{"a character that XML has not", "<response>&#0;</response>", "illegal character"},
		{"too deep", deep(101), "nested deeper than 100"},
		{"too many elements", "<r>" + strings.Repeat("<a/>", 200_000) + "</r>", "200000 elements, attributes and texts"},
		{"too many attributes", "<r>" + strings.Repeat("<a b='' c='' d=''/>", 50_000) + "</r>", "200000 elements, attributes and texts"},
		{"too many texts", "<r>" + strings.Repeat("<a/>b", 100_000) + "</r>", "200000 elements, attributes and texts"},
		{"not UTF-8", "<response>\xff</response>", "UTF-8"},
		{"another encoding", `<?xml version="1.0" encoding="Shift_JIS"?><response/>`, "“Shift_JIS”"},
		{"not in its encoding", "<?xml version='1.0' encoding='windows-1252'?><response>\x81</response>", "not in the encoding"},
		{"UTF-16 that is none", "\xfe\xff\xd8\x00\x00<\x00r\x00/\x00>", "not in the encoding"},
		{"another version", `<?xml version="2.0"?><response/>`, "version"},
		{"not closed", "<response><booking>", "EOF"},
		{"closed wrongly", "<response></booking>", "closed by"},
		{"two roots", "<response/><response/>", "more than one root"},
		{"text behind", "<response/>x", "outside of its root"},
		{"a comment only", "<!-- x -->", "no root"},
		{"another booking", "<response><booking><booking_id>12345</booking_id></booking></response>", "“12345”"},
		{"another channel", "<response><booking><channel_id>1</channel_id></booking></response>", "channel_id"},
		{"an id that is none", "<response><booking><components><component><product_id>1\n2</product_id></component></components></booking></response>", "product_id"},
		{"too many tours", "<r><booking><components>" + manyTours(501) + "</components></booking></r>", "500 tours"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tourcms.Read(post(five, tt.body))
			refused(t, err, 400, tt.word)
		})
	}
	for _, body := range []string{
		deep(100), "<r/>", "\uFEFF<r>&lt;&amp;&gt;&apos;&quot;&#x41;&#65;<![CDATA[<&]]></r>", "<?xml version='1.0' encoding='UTF-8'?><?x y?><r/><!-- x -->\n",
		" \n<?xml version='1.0'?><r/>", "<?xml version='1.1' encoding='us-ascii' standalone='no'?>\n<!DOCTYPE r PUBLIC \"-//x//y\" 'r.dtd' >\n<r/>",
		"<r:r xmlns:r='urn:r'><r:a r:b='1'/></r:r>", "<r><x:a/></r>",
	} {
		if _, err := tourcms.Read(post(five, body)); err != nil {
			t.Errorf("%.60s: %v", body, err)
		}
	}
}

// TestReadEncodings: TourCMS's documents are read in the encoding that they are in,
// as libxml2 reads them, and kept and passed on in UTF-8. What is signed is the same
// in every encoding.
func TestReadEncodings(t *testing.T) {
	const text = "<response><booking><booking_id>1234</booking_id><channel_name>Zoë</channel_name></booking><signed><algorithm>SHA256</algorithm>" +
		"<hash_fields>booking/booking_id|booking/channel_name</hash_fields><hash>%s</hash></signed></response>"
	document := fmt.Sprintf(text, sum(sha256.New, "1234|Zoë"))
	latin1 := strings.ReplaceAll(document, "ë", "\xeb")
	var utf16 strings.Builder
	for _, r := range "\uFEFF<?xml version='1.0' encoding='UTF-16'?>" + document {
		utf16.WriteString(string([]byte{byte(r), byte(r >> 8)}))
	}
	for _, tt := range []struct{ name, contentType, body, kept string }{
		{"as declared", "text/xml", `<?xml version="1.0" encoding="ISO-8859-1"?>` + "\n" + latin1, `<?xml version="1.0"?>` + "\n" + document},
		{"in single quotes", "text/xml", "\n<?xml version='1.0' encoding = 'windows-1252' standalone='yes' ?>" + latin1, "\n<?xml version='1.0' standalone='yes' ?>" + document},
		{"by the document before the content type", "text/xml; charset=utf-8", "<?xml version='1.0' encoding='iso8859-15'?>" + latin1, "<?xml version='1.0'?>" + document},
		{"by the content type", "text/xml; charset=ISO-8859-1", latin1, document},
		{"UTF-8 in spite of the content type", "text/xml; charset=ISO-8859-1", document, document},
		{"by the mark", "text/xml", "\uFEFF<?xml version='1.0' encoding='ISO-8859-1'?>" + document, "\uFEFF<?xml version='1.0'?>" + document},
		{"UTF-16", "text/xml", utf16.String(), "<?xml version='1.0'?>" + document},
	} {
		in := post(five, tt.body)
		in.ContentType, in.Settings = tt.contentType, webhook.Settings{"api_key": "EXAMPLEKEY"}
		got, err := tourcms.Read(in)
		if err != nil {
			t.Errorf("%s: %v", tt.name, words(err))
			continue
		}
		var data struct{ XML string }
		if err := json.Unmarshal(got.Event.Data, &data); err != nil || data.XML != tt.kept {
			t.Errorf("%s: got %q, %v, want %q", tt.name, data.XML, err, tt.kept)
		}
		call, err := tourcms.InlineCall(&webhook.Webhook{}, webhook.Account{}, got.Event, "OTHERKEY")
		if err != nil || string(call.Body) != tt.kept {
			t.Errorf("%s: passed on as %q, %v", tt.name, call.Body, err)
		}
	}
	in := post(five, latin1)
	_, err := tourcms.Read(in)
	refused(t, err, 400, "UTF-8")
}

// A document in a default namespace is read as SimpleXML reads it; paths without a
// prefix do not find what is in it.
func TestReadDefaultNamespace(t *testing.T) {
	const document = "<response xmlns='urn:x'><booking><booking_id>1234</booking_id><components><component><product_id>12</product_id></component></components></booking>" +
		"<signed><algorithm>SHA256</algorithm><hash_fields>%s</hash_fields><hash>%s</hash></signed></response>"
	read := func(fields, message string) (platforms.Reading, error) {
		in := post(five, fmt.Sprintf(document, fields, sum(sha256.New, message)))
		in.Settings = webhook.Settings{"api_key": "EXAMPLEKEY"}
		return tourcms.Read(in)
	}
	got, err := read("//*[local-name()='booking_id']", "1234")
	if err != nil || !slices.Equal(got.Event.TourIDs, []string{"12"}) {
		t.Errorf("got %+v, %v", got.Event, err)
	}
	_, err = read("booking/booking_id", "")
	refused(t, err, 401, "does not cover")
}

func manyTours(n int) string {
	var text strings.Builder
	for i := range n {
		text.WriteString("<component><product_id>" + strings.Repeat("1", i%90+1) + string(rune('a'+i/90)) + "</product_id></component>")
	}
	return text.String()
}

// Whatever comes by GET: no panic, and what is taken leaves byte for byte, as a
// URL that can be called and read again to the same event.
func FuzzReadGET(f *testing.F) {
	f.Add(five)
	f.Add("event=cancelled&event=cancelled")
	f.Add("event=cancelled&account_name=M%FCller&x=%zz&x=1;2&\xff")
	f.Fuzz(func(t *testing.T, query string) {
		got, err := tourcms.Read(get(query))
		if err != nil {
			if _, ok := errors.AsType[platforms.Rejected](err); !ok {
				t.Fatalf("got %v, want it Unreadable", err)
			}
			return
		}
		if !json.Valid(got.Event.Data) {
			t.Errorf("got %s", got.Event.Data)
		}
		out := tourcms.Native(&webhook.Webhook{Config: webhook.Config{URL: "https://example.com/in"}}, webhook.Account{}, got.Event)
		u, err := url.Parse(out.URL)
		if err != nil || u.RawQuery != query || out.URL != "https://example.com/in?"+query {
			t.Errorf("leaves as %q, %v", out.URL, err)
		}
		again, err := tourcms.Read(get(u.RawQuery))
		if err != nil || again.Event.Digest() != got.Event.Digest() {
			t.Errorf("read again: %+v, %v", again, err)
		}
	})
}

// Whatever comes by POST: no panic, an error that says why, or an event that
// other code can work with, its XML byte for byte if it says nothing of its encoding.
func FuzzReadPOST(f *testing.F) {
	f.Add(five, golden(f, "show_booking.xml"), "")
	f.Add(five, golden(f, "inline.xml"), "EXAMPLEKEY")
	f.Add("event=cancelled", "\uFEFF<a b='&lt;'><!-- c --><?d?><![CDATA[e]]></a>", "3930=K")
	f.Add(five, "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "")
	f.Fuzz(func(t *testing.T, query, body, key string) {
		in := post(query, body)
		in.Settings = webhook.Settings{"api_key": key}
		got, err := tourcms.Read(in)
		if err != nil {
			if rejected, ok := errors.AsType[platforms.Rejected](err); !ok || rejected.Why.IsZero() {
				t.Fatalf("got %v, want it Unreadable", err)
			}
			return
		}
		var data struct{ XML string }
		if err := json.Unmarshal(got.Event.Data, &data); err != nil || data.XML != body && utf8.ValidString(body) && !strings.Contains(body, "encoding") {
			t.Errorf("got %q, %v, want %q", data.XML, err, body)
		}
		if booking := tourcms.Booking(got.Event); booking != nil {
			if !json.Valid(platforms.StandardBody(got.Event, 4069, booking)) {
				t.Errorf("the standard body is no JSON with %+v", booking)
			}
		}
	})
}
