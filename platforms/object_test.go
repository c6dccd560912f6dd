package platforms_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"bookhook/platforms"
	"bookhook/platforms/all"
	"bookhook/webhook"
)

func TestInboundJSON(t *testing.T) {
	deep := func(levels int) string {
		return strings.Repeat(`{"a":`, levels-1) + "{}" + strings.Repeat("}", levels-1)
	}
	for _, tt := range []struct {
		name, contentType, body string
		status                  int // 0: it is taken
		problem                 string
	}{
		{"plain", "application/json", `{"a":1}`, 0, ""},
		{"no content type", "", `{"a":1}`, 0, ""},
		{"with parameters", "Application/JSON ; charset=utf-8", `{"a":1}`, 0, ""},
		{"odd parameters", "application/json; =;", `{"a":1}`, 0, ""},
		{"built on JSON", "application/vnd.example.v1+json", `{"a":1}`, 0, ""},
		{"space around", "application/json", " \r\n\t{\"a\":1}\n", 0, ""},
		{"keys differ by case", "", `{"a":1,"A":2}`, 0, ""},
		{"the same key in another object", "", `{"a":{"a":{"a":1}},"b":{"a":1}}`, 0, ""},
		{"twice in what is not read", "", `{"a":{"b":1,"b":2}}`, 0, ""},
		{"as deep as may be", "", deep(platforms.MaxDepth), 0, ""},
		{"brackets in a text", "", `{"a":"` + strings.Repeat(`[{\"`, 200) + `"}`, 0, ""},

		{"a form", "application/x-www-form-urlencoded", `{"a":1}`, 415, "application/x-www-form-urlencoded"},
		{"text", "text/plain", `{"a":1}`, 415, "application/json"},
		{"JSON of no kind", "+json", `{"a":1}`, 415, ""},
		{"like JSON", "application/jsonp", `{"a":1}`, 415, ""},
		{"two types", "application/json, application/json", `{"a":1}`, 415, ""},
		{"empty", "application/json", "", 400, "empty"},
		{"only space", "application/json", " \r\n", 400, "empty"},
		{"not UTF-8", "application/json", "{\"a\":\"\xff\"}", 400, "UTF-8"},
		{"cut off", "application/json", `{"a":1`, 400, "not valid JSON"},
		{"where it is wrong", "application/json", `{"a":1,}`, 400, "byte 8"},
		{"two of them", "application/json", `{} {}`, 400, "not valid JSON"},
		{"a list", "application/json", `[{"a":1}]`, 400, "not an object"},
		{"null", "application/json", `null`, 400, "not an object"},
		{"a text", "application/json", `"{}"`, 400, "not an object"},
		{"a key twice", "application/json", `{"a":1,"b":2,"a":1}`, 400, `“a” is in one object twice`},
		{"a key twice, once escaped", "application/json", `{"a":1,"\u0061":2}`, 400, `“a” is in one object twice`},
		{"too deep", "application/json", deep(platforms.MaxDepth + 1), 400, "100 levels"},
		{"lists too deep", "application/json", strings.Repeat("[", 1_000_000), 400, "100 levels"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, err := platforms.Inbound{ContentType: tt.contentType, Body: []byte(tt.body)}.JSON()
			if tt.status == 0 {
				if err != nil || o == nil {
					t.Fatalf("got %v, %v, want an object", o, err)
				}
				return
			}
			rejected, ok := errors.AsType[platforms.Rejected](err)
			if !ok || rejected.Status != tt.status || !strings.Contains(all.Platforms().Text(rejected.Why), tt.problem) {
				t.Errorf("got %+v, want status %d and %q", err, tt.status, tt.problem)
			}
		})
	}
}

func TestObject(t *testing.T) {
	o, err := platforms.ParseObject([]byte(` { "text" : "a\u00e9" , "number" : 9007199254740993 , "exact" : 108.10,
		"object" : { "in" : "side" } , "list" : [ {"n":1} , 2 , null, {"n":3} ] , "null" : null, "yes":true, "at" : "2024-03-05T08:26:11.1451352Z",
		"local":"2023-12-07T19:30:00", "old":"1969-12-31T23:59:59Z", "twice":{"a":1,"a":2}, "twices":[{"a":1,"a":2}] } `))
	if err != nil {
		t.Fatal(err)
	}
	inside, err := o.Object("object")
	if got := inside.Text("in"); got != "side" || err != nil {
		t.Errorf("object: got %q, %v", got, err)
	}
	list, err := o.Objects("list")
	if err != nil || len(list) != 2 || list[1].Ref("n") != "3" {
		t.Errorf("list: got %v, %v, want its two objects", list, err)
	}
	for key, want := range map[string][3]string{ // text, number, id
		"text": {"aé", "", "aé"}, "number": {"", "9007199254740993", "9007199254740993"}, "exact": {"", "108.10", "108.10"},
		"object": {}, "list": {}, "null": {}, "yes": {}, "nothing": {}, "TEXT": {},
	} {
		if got := [3]string{o.Text(key), o.Number(key).String(), o.Ref(key)}; got != want {
			t.Errorf("%s: got %q, want %q", key, got, want)
		}
	}
	if got, want := o.Time("at"), time.Date(2024, 3, 5, 8, 26, 11, 145135200, time.UTC); !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, key := range []string{"local", "old", "number", "nothing"} {
		if got := o.Time(key); !got.IsZero() {
			t.Errorf("%s: got %v, want no time", key, got)
		}
	}
	_, inObject := o.Object("twice")
	_, inList := o.Objects("twices")
	if inObject == nil || inList == nil {
		t.Errorf("got %v and %v, want what stands twice refused", inObject, inList)
	}
	nothing, err := platforms.Object(nil).Object("a")
	if nothing != nil || err != nil || platforms.Object(nil).Ref("a") != "" {
		t.Errorf("got %v, %v of nothing", nothing, err)
	}
}

// TestLongObject: what costs far more to read than to send is not read.
func TestLongObject(t *testing.T) {
	const most = 10_000
	var members strings.Builder
	for i := range most - 1 {
		fmt.Fprintf(&members, `"%d":1,`, i)
	}
	for _, more := range []int{0, 1} {
		entries := strings.TrimSuffix(strings.Repeat(`{"a":1},`, most+more), ",")
		text := `{` + members.String() + strings.Repeat(`"more":2,`, more) + `"list":[` + entries + `]}`
		o, err := platforms.ParseObject([]byte(text))
		if more > 0 {
			if _, rejected := errors.AsType[platforms.Rejected](err); !rejected {
				t.Errorf("got %v for %d members, want them refused", err, most+more)
			}
			o = platforms.Object{"list": json.RawMessage("[" + entries + "]")}
		} else if err != nil {
			t.Fatal(err)
		}
		list, err := o.Objects("list")
		if _, rejected := errors.AsType[platforms.Rejected](err); rejected != (more > 0) || more == 0 && len(list) != most {
			t.Errorf("got %d and %v for %d entries", len(list), err, most+more)
		}
	}
}

func TestCheckRefs(t *testing.T) {
	long := strings.Repeat("x", webhook.MaxRefLength+1)
	for _, tt := range []struct {
		event   webhook.Event
		problem string
	}{
		{webhook.Event{}, ""},
		{webhook.Event{ChannelID: long[1:], BookingID: "é 🎟", TourIDs: []string{"12", "15"}}, ""},
		{webhook.Event{ChannelID: long}, "channel"},
		{webhook.Event{BookingID: "a\x00"}, "booking"},
		{webhook.Event{TourIDs: []string{"12", long}}, "tour"},
		{webhook.Event{TourIDs: slices.Repeat([]string{"12"}, webhook.MaxTours+1)}, "501 tours"},
	} {
		err := platforms.CheckRefs(tt.event)
		if rejected, ok := errors.AsType[platforms.Rejected](err); ok != (tt.problem != "") || !strings.Contains(all.Platforms().Text(rejected.Why), tt.problem) && ok || ok && rejected.Status != 400 {
			t.Errorf("got %v, want %q", err, tt.problem)
		}
	}
}

// What is taken can be read in one way only: as the standard library reads it.
func FuzzInboundJSON(f *testing.F) {
	for _, body := range []string{`{"a":1}`, `{"a":1,"a":2}`, `{"a":[{"b":"\"]"}]}`, `[`, "\xff", `{"\ud800":1}`, `{}x`, ` {"a" : -1.0e9 } `} {
		f.Add("application/json", []byte(body))
	}
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		o, err := platforms.Inbound{ContentType: contentType, Body: body}.JSON()
		if err != nil {
			if rejected, ok := errors.AsType[platforms.Rejected](err); !ok || rejected.Why.IsZero() || rejected.Status == 0 {
				t.Errorf("got %#v, want a Rejected", err)
			}
			return
		}
		var want map[string]any
		if err := json.Unmarshal(body, &want); err != nil || len(want) != len(o) {
			t.Fatalf("got %v of %q, want %v, %v", o, body, want, err)
		}
		for key, value := range want {
			if text, ok := value.(string); ok && o.Text(key) != text {
				t.Errorf("%s: got %q, want %q", key, o.Text(key), text)
			}
			if _, ok := value.(float64); ok != (o.Number(key) != "") {
				t.Errorf("%s: got the number %q of %v", key, o.Number(key), value)
			}
		}
	})
}
