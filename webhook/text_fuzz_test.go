package webhook

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzJSONText: compactJSON writes what json.Compact does, and JSONDepth counts as a
// json.Decoder does.
func FuzzJSONText(f *testing.F) {
	for _, seed := range []string{
		``, ` `, `"`, `"\`, `"\"`, `"\\" `, `{"a":[1,{"b":"c \" d"}]}`, "{\"a\":\r\n1}", "\u2028{}\u00a0", `"\\\\\" {" [`, `["a\\","]" ]`, `{}[[]]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		want := bytes.TrimSpace(text)
		var compact bytes.Buffer
		if json.Compact(&compact, want) == nil {
			want = compact.Bytes()
		}
		if got := compactJSON(text); !bytes.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		depth := JSONDepth(text)
		if want := decodedDepth(text); json.Valid(text) && depth != want {
			t.Errorf("%q: got depth %d, want %d", text, depth, want)
		}
	})
}

func decodedDepth(text []byte) (deepest int) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	for depth := 0; ; {
		switch token, err := decoder.Token(); {
		case err != nil:
			return deepest
		case token == json.Delim('{'), token == json.Delim('['):
			depth++
			deepest = max(deepest, depth)
		case token == json.Delim('}'), token == json.Delim(']'):
			depth--
		}
	}
}
