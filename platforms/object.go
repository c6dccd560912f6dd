package platforms

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"bookhook/webhook"
)

// MaxDepth is how many levels JSON and XML of a platform may be nested.
const MaxDepth = 100

// JSON parses the body of a platform that sends JSON: one object in UTF-8, with
// each key once, nested at most [MaxDepth] levels. The content type must be one of
// JSON or absent; no platform documents which it sends. The error is [Rejected].
func (in Inbound) JSON() (Object, error) {
	if !isJSON(in.ContentType) {
		return nil, BadType("json.content_type", webhook.Quote(in.ContentType, 100))
	}
	switch {
	case len(bytes.TrimSpace(in.Body)) == 0:
		return nil, BadRequest("json.empty")
	case !utf8.Valid(in.Body):
		return nil, BadRequest("json.not_utf8")
	case webhook.JSONDepth(in.Body) > MaxDepth:
		return nil, BadRequest("json.too_deep", MaxDepth)
	}
	if err := webhook.CheckJSON(in.Body); err != nil {
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			return nil, BadRequest("json.syntax_at", err, syntax.Offset)
		}
		return nil, BadRequest("json.syntax", err)
	}
	return ParseObject(in.Body)
}

// isJSON reports whether a content type is application/json, or one built on it
// such as application/problem+json, whatever its parameters.
func isJSON(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	main, sub, _ := strings.Cut(kind, "/")
	return kind == "" || kind == "application/json" || main != "" && strings.HasSuffix(sub, "+json")
}

// maxMembers is how many members an object, and how many entries a list may have. A
// body within its limit could have a million, and each takes a hundred times its
// size in memory.
const maxMembers = 10_000

var errMembers = BadRequest("json.too_many_members", maxMembers)

// Object is a JSON object of a platform, with its values unparsed. Unlike the
// fields of a struct, keys are case-sensitive. Its methods return an empty value
// for what is missing or of another type; so do those of a nil Object.
type Object map[string]json.RawMessage

// ParseObject splits an object into its members. The error is [Rejected]: the text
// is not an object, has more members than any platform sends, or has a key twice,
// so that two readers could read it differently.
func ParseObject(text []byte) (Object, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, BadRequest("json.no_object")
	}
	o := Object{}
	for decoder.More() {
		key, err := decoder.Token()
		name, ok := key.(string)
		if err != nil || !ok {
			return nil, BadRequest("json.invalid")
		}
		if _, twice := o[name]; twice {
			return nil, BadRequest("json.key_twice", webhook.Quote(name, 100))
		}
		if len(o) == maxMembers {
			return nil, errMembers
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, BadRequest("json.invalid")
		}
		o[name] = value
	}
	return o, nil
}

// Object reads a member that is an object; nil if it is missing or of another
// type. The error is that of [ParseObject].
func (o Object) Object(key string) (Object, error) {
	if !bytes.HasPrefix(o[key], []byte("{")) {
		return nil, nil
	}
	return ParseObject(o[key])
}

// Objects reads the objects in a list. The error is that of [ParseObject], or says
// that the list is too long.
func (o Object) Objects(key string) ([]Object, error) {
	decoder := json.NewDecoder(bytes.NewReader(o[key]))
	if start, err := decoder.Token(); err != nil || start != json.Delim('[') {
		return nil, nil
	}
	objects := []Object{}
	for read := 0; decoder.More(); read++ {
		var value json.RawMessage
		if read == maxMembers {
			return nil, errMembers
		}
		if decoder.Decode(&value) != nil {
			return nil, nil
		}
		if !bytes.HasPrefix(value, []byte("{")) {
			continue
		}
		object, err := ParseObject(value)
		if err != nil {
			return nil, err
		}
		objects = append(objects, object)
	}
	return objects, nil
}

// Text reads a string.
func (o Object) Text(key string) (text string) {
	_ = json.Unmarshal(o[key], &text) // another type leaves it empty
	return text
}

// Number reads a number, digit for digit as it was sent.
func (o Object) Number(key string) json.Number {
	value := o[key]
	if len(value) == 0 || value[0] != '-' && (value[0] < '0' || value[0] > '9') {
		return ""
	}
	return json.Number(value)
}

// Ref reads an id: a string, or a number as it was sent. One with an escape that is
// half of a character is no UTF-8, so that webhook.CheckRef refuses it: as text, two
// such ids could become one.
func (o Object) Ref(key string) string {
	if number := o.Number(key); number != "" {
		return number.String()
	}
	text := o.Text(key)
	if webhook.LoneSurrogate(o[key]) {
		return strings.ReplaceAll(text, string(utf8.RuneError), "\xff")
	}
	return text
}

// Time reads a time of RFC 3339; zero if it is not one, or before 1970.
func (o Object) Time(key string) (at time.Time) {
	if at.UnmarshalText([]byte(o.Text(key))) != nil || at.Before(time.Unix(0, 0)) {
		return time.Time{}
	}
	return at
}

// CheckRefs checks the ids of an event; the error is [Rejected], and names the
// first that cannot be stored.
func CheckRefs(e webhook.Event) error {
	if len(e.TourIDs) > webhook.MaxTours {
		return BadRequest("refs.too_many_tours", len(e.TourIDs), webhook.MaxTours)
	}
	ids := [][2]string{{"channel", e.ChannelID}, {"booking", e.BookingID}}
	for _, id := range e.TourIDs {
		ids = append(ids, [2]string{"tour", id})
	}
	for _, id := range ids {
		if problem := webhook.CheckRef(id[1]); !problem.IsZero() {
			return Rejected{http.StatusBadRequest, webhook.NewMessage("refs."+id[0], webhook.Quote(id[1], 100)).Because(problem)}
		}
	}
	return nil
}
