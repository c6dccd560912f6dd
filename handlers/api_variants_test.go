package handlers_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Values of every type, and texts that are none of the usual ones. What a schema
// says of them does not matter here: a validator judges each request.
var (
	anything = []string{
		`null`, `true`, `0`, `-0`, `-1`, `1.0`, `1e2`, `1.5`, `12345678901234567890`, `1e99`, `1e100`, `-1e400`, `""`, `" "`, `"x"`, `"5"`,
		`"null"`, `[]`, `[null]`, `[[]]`, `["",1]`, `{}`, `{"x":1}`,
	}
	oddTexts = []string{
		"a\x00b", "a\tb", "a\n", "\r", "a\x7f", "a\u0085b", "\u009f", " a ", "a b", "a,b", "\u00a0", "\u2028", "\u202e", "\ufeff", "\ufffd", "é", "🎟", "<&>'\"\\",
		"in:1", "inline:1", "*", "ltd:TransactionChanged", "https://example.com/", "HTTP://EXAMPLE.COM", "ftp://example.com", "//x", "a:b",
	}
	oddTimes = []string{
		"2026-11-21T09:00:00Z", "2026-11-21T09:00:00.123456789123Z", "2026-11-21T23:59:59+14:00", "1971-01-01T00:00:00+14:00", "1970-12-31T23:59:59Z",
		"9999-12-31T23:59:59Z", "9999-12-31T23:59:59-01:00", "10000-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "2026-11-21t09:00:00z", "2026-11-21 09:00:00Z",
		"2026-11-21T09:00:00", "2026-11-21T09:00Z", "2026-11-21T24:00:00Z", "2016-12-31T23:59:60Z", "2026-02-29T00:00:00Z", "2026-11-21T09:00:00,5Z",
		"2026-11-21T09:00:00+0100", "2026-11-21T09:00:00-00:00", "2026-11-21", "1764000000", "now",
	}
)

// texts returns JSON texts for a place of a request that has this schema: values at
// its bounds and just beyond, of other types, and for an object or a list, base with
// one of its parts replaced by each text for that part. base may be nil.
func texts(s *openapi3.Schema, base json.RawMessage) []string {
	all := slices.Clone(anything)
	for _, part := range parts([]*openapi3.Schema{s}) {
		for _, value := range part.Enum {
			all = append(all, asJSON(value))
		}
		switch {
		case part.Type.Is("string"):
			all = append(all, stringTexts(part)...)
		case part.Type.Is("integer"):
			all = append(all, integerTexts(part)...)
		case part.Type.Is("array"):
			all = append(all, listTexts(part, base)...)
		case part.Type.Is("object"):
			all = append(all, objectTexts(part, base)...)
		}
	}
	return all
}

func asJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// stringsOf returns strings for a schema, which are not all as it says.
func stringsOf(s *openapi3.Schema) []string {
	all := slices.Clone(oddTexts)
	if s.Format == "date-time" {
		all = append(all, oddTimes...)
	}
	if s.MaxLength != nil {
		for _, one := range []string{"x", "🎟"} {
			for _, n := range []uint64{*s.MaxLength, *s.MaxLength + 1} {
				all = append(all, strings.Repeat(one, int(n)))
			}
		}
		all = append(all, " "+strings.Repeat("x", int(*s.MaxLength)))
	}
	for _, value := range s.Enum {
		all = append(all, strings.ToUpper(fmt.Sprint(value)), fmt.Sprint(value)+" ")
	}
	return all
}

func stringTexts(s *openapi3.Schema) (all []string) {
	for _, text := range stringsOf(s) {
		all = append(all, asJSON(text))
	}
	return append(all, `"\ud83d"`, `"\ude00\ud83d"`, `"\ud83d\ude00"`, `"\\ud83d"`, `"\u0061"`)
}

func integerTexts(s *openapi3.Schema) (all []string) {
	for _, bound := range []*float64{s.Min, s.Max} {
		if bound != nil {
			for _, n := range []float64{*bound - 1, *bound, *bound + 1} {
				text := strconv.FormatFloat(n, 'f', -1, 64)
				all = append(all, text, text+".0", text+"e0", `"`+text+`"`)
			}
		}
	}
	return all
}

func listTexts(s *openapi3.Schema, base json.RawMessage) (all []string) {
	var items []json.RawMessage
	if json.Unmarshal(base, &items) != nil || len(items) == 0 {
		items = []json.RawMessage{sample(s.Items.Value)}
	}
	for _, text := range texts(s.Items.Value, items[0]) {
		all = append(all, "["+text+"]")
	}
	if s.MaxItems != nil {
		for _, n := range []uint64{*s.MaxItems, *s.MaxItems + 1} {
			all = append(all, "["+strings.Repeat(string(items[0])+",", int(n)-1)+string(items[0])+"]")
		}
	}
	return all
}

func objectTexts(s *openapi3.Schema, base json.RawMessage) (all []string) {
	var members map[string]json.RawMessage
	if json.Unmarshal(base, &members) != nil || len(members) == 0 {
		members = map[string]json.RawMessage{}
		_ = json.Unmarshal(sample(s), &members)
	}
	all = append(all, object(members, "", ""))
	for _, name := range append(slices.Sorted(maps.Keys(s.Properties)), "more", "") {
		without := maps.Clone(members)
		delete(without, name)
		all = append(all, object(without, "", ""))
		values := anything
		if p := s.Properties[name]; p != nil {
			values = texts(p.Value, members[name])
		}
		for _, value := range values {
			all = append(all, object(without, name, value))
		}
	}
	return all
}

// object writes members and one more, unless its value is "".
func object(members map[string]json.RawMessage, name, value string) string {
	var written []string
	for _, key := range slices.Sorted(maps.Keys(members)) {
		written = append(written, asJSON(key)+":"+string(members[key]))
	}
	if value != "" {
		written = append(written, asJSON(name)+":"+value)
	}
	return "{" + strings.Join(written, ",") + "}"
}

// samples returns values that a schema allows: its examples, if it has any.
func samples(s *openapi3.Schema) (all []json.RawMessage) {
	for _, example := range s.Examples {
		all = append(all, json.RawMessage(asJSON(example)))
	}
	if len(all) == 0 {
		all = append(all, sample(s))
	}
	return all
}

func sample(s *openapi3.Schema) json.RawMessage {
	if len(s.Examples) > 0 {
		return json.RawMessage(asJSON(s.Examples[0]))
	}
	for _, part := range parts([]*openapi3.Schema{s}) {
		switch {
		case len(part.Enum) > 0:
			return json.RawMessage(asJSON(part.Enum[0]))
		case part.Type.Is("string"):
			return json.RawMessage(`"15"`)
		case part.Type.Is("integer"):
			return json.RawMessage(`1`)
		case part.Type.Is("object"):
			members := map[string]json.RawMessage{}
			for _, name := range part.Required {
				members[name] = sample(part.Properties[name].Value)
			}
			return json.RawMessage(object(members, "", ""))
		}
	}
	return json.RawMessage(`null`)
}
