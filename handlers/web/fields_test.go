package web

import (
	"bytes"
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"bookhook/webhook"
)

func TestWholeNumber(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`0`: "0", `-0`: "0", `0.000`: "0", `0e999`: "0", `7`: "7", `-7`: "-7", `100`: "100", `1.0`: "1", `1e2`: "100", `1E+2`: "100", `1.50e1`: "15", `100e-2`: "1",
		`12345678901234567890`: "12345678901234567890", `0.00012e5`: "12", `1e999`: "1" + strings.Repeat("0", 999),
		`1.5`: "", `1e-1`: "", `0.1`: "", `1e1000`: "", `1e999999999999999999999`: "", `1.2345e-9223372036854775808`: "", `1.5e9223372036854775807`: "", `0e9223372036854775807`: "0", `1e-999999999999999999999`: "", `"1"`: "", `true`: "", `null`: "", `[1]`: "", `{}`: "",
	} {
		if got, ok := wholeNumber(json.RawMessage(text)); got != want || ok != (want != "") {
			t.Errorf("%s: got %q, %t, want %q", text, got, ok, want)
		}
	}
}

func TestInt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{`{}`: 5, `{"n":null}`: 5, `{"n":8.0}`: 8, `{"n":1e99}`: math.MaxInt, `{"n":-1e99}`: math.MinInt} {
		o, err := ParseObject([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		n := 5
		if o.Int("n", "a whole number", &n); n != want || o.End() != nil {
			t.Errorf("%s: got %d, %v, want %d", text, n, o.End(), want)
		}
	}
}

// A text that is not Unicode would become another text: two ids could become one.
func TestLoneSurrogates(t *testing.T) {
	t.Parallel()
	for text, whole := range map[string]bool{
		`"\ud83d\ude00"`: true, `"😀"`: true, `"\\ud83d"`: true, `"\\\\\ud83d\ude00"`: true, `"\ufffd"`: true, `"\uD83D\uDE00\n"`: true,
		`"\ud83d"`: false, `"\ude00"`: false, `"\ude00\ud83d"`: false, `"\ud83d\ud83d\ude00"`: false, `"\ud83d\n"`: false, `"\ud83dxxxxxx"`: false, `"\\\ud83d"`: false,
	} {
		if _, ok := Unquote(json.RawMessage(text)); ok != whole {
			t.Errorf("%s: got %t, want %t", text, ok, whole)
		}
		want := webhook.NewMessage("field.surrogate")
		if whole {
			want = webhook.Message{}
		}
		if _, problem := ReadRef(json.RawMessage(text)); problem.Error() != want.Error() {
			t.Errorf("%s: got %v, want %v", text, problem, want)
		}
	}
}

// FuzzValue wants that a value of a request is what others read: a text as
// encoding/json does, a whole number as math/big, a time as RFC 3339 has it.
func FuzzValue(f *testing.F) {
	for _, text := range []string{
		`""`, `"a\u0041\n"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\\ud83d"`, `0`, `-0.0`, `1.50e1`, `100e-2`, `1e999`, `-12`, `0.00012e5`, `1e-400`, `true`, `null`, `[1]`,
		`"2026-11-21T09:00:00.5+01:00"`, `"2026-11-21T24:00:00Z"`, `"2026-02-30T09:00:00Z"`, `"2026-11-21t09:00:00,5z"`, `"1970-12-31T23:59:59-23:59"`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		if value = bytes.TrimSpace(value); !json.Valid(value) || !utf8.Valid(value) {
			return // checked before
		}
		text, isText := Unquote(value)
		var want string
		if isText && (json.Unmarshal(value, &want) != nil || text != want) {
			t.Errorf("%s: got %q, want %q", value, text, want)
		}
		if back, err := json.Marshal(text); isText && (err != nil || json.Unmarshal(back, &want) != nil || want != text) {
			t.Errorf("%s: %q is not a text", value, text)
		}
		if digits, ok := wholeNumber(value); ok && len(value) < 100 {
			number, valid := new(big.Rat).SetString(string(value))
			if !valid || !number.IsInt() || number.Num().String() != digits {
				t.Errorf("%s: got %s, want %v", value, digits, number)
			}
		}
		at, problem := ReadTime(text)
		again, err := time.Parse(time.RFC3339Nano, text)
		if problem.IsZero() && (err != nil || !again.Equal(at)) || !problem.IsZero() && !at.IsZero() {
			t.Errorf("%q: got %v, %v, want %v", text, at, problem, again)
		}
		if id, problem := ReadRef(value); problem.IsZero() != (isText || id != "") || !isText && strings.Trim(id, "0123456789") != "" {
			t.Errorf("%s: got the id %q, %v", value, id, problem)
		}
	})
}
