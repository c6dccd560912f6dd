package web

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

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
