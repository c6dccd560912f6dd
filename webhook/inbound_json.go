package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// JSON reads the body of a platform that sends JSON: one object in UTF-8, each
// key in it once, nested at most [MaxInboundDepth] levels. The content type is
// one of JSON or absent; no platform documents what it sends there. The error is
// [Unreadable].
func (in Inbound) JSON() (Object, error) {
	if !isJSON(in.ContentType) {
		return nil, BadType(fmt.Sprintf("The content type is %.100q, but this platform sends JSON. "+
			"Check that the request comes from the platform, and that it is sent as application/json.", in.ContentType))
	}
	switch {
	case len(bytes.TrimSpace(in.Body)) == 0:
		return nil, BadRequest("The body is empty. Check that the platform sends its notification as a POST with JSON, " +
			"and that nothing between it and Bookhook drops the body.")
	case !utf8.Valid(in.Body):
		return nil, BadRequest("The body is not valid UTF-8. Have whatever sends it write JSON in UTF-8.")
	case bytes.HasPrefix(in.Body, []byte("\ufeff")):
		return nil, BadRequest("The body begins with a byte order mark, which JSON must not have. Have whatever sends it leave out the mark.")
	case JSONDepth(in.Body) > MaxInboundDepth:
		return nil, BadRequest(fmt.Sprintf("The body is nested more than %d levels deep. "+
			"No booking is; check that the request comes from the platform.", MaxInboundDepth))
	}
	if err := json.Unmarshal(in.Body, new(json.RawMessage)); err != nil {
		at := ""
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			at = fmt.Sprintf(" (byte %d)", syntax.Offset)
		}
		return nil, BadRequest(fmt.Sprintf("The body is not valid JSON: %v%s. "+
			"It may have been cut off or changed on its way; have it sent again.", err, at))
	}
	return ParseObject(in.Body)
}

// isJSON tells application/json and the types built on it, such as
// application/problem+json, whatever their parameters.
func isJSON(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	main, sub, _ := strings.Cut(kind, "/")
	return kind == "" || kind == "application/json" || main != "" && strings.HasSuffix(sub, "+json")
}

// maxMembers is how many members an object may have, and how many entries a list
// that is read. A body within its limit could have a million, and each takes a
// hundred times its bytes here.
const maxMembers = 10_000

var errMembers = BadRequest(fmt.Sprintf("The body has an object or a list with more than %d entries. "+
	"No booking has; check that the request comes from the platform.", maxMembers))

// Object is a JSON object of a platform, its values as they came. Unlike the
// fields of a struct, keys differ by case. What is not there, or is of another
// kind than asked for, is empty; so is everything in a nil Object.
type Object map[string]json.RawMessage

// ParseObject takes an object apart. An error is [Unreadable]: the text is no
// object, has a key twice, so that two readers could read it differently, or has
// more members than anybody sends.
func ParseObject(text []byte) (Object, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, BadRequest("The JSON is not an object. Check that the request comes from the platform; its notifications are written as {…}.")
	}
	o := Object{}
	for decoder.More() {
		key, err := decoder.Token()
		name, ok := key.(string)
		if err != nil || !ok {
			return nil, BadRequest("The body is not valid JSON; have it sent again.")
		}
		if _, twice := o[name]; twice {
			return nil, BadRequest(fmt.Sprintf("The key %.100q stands twice in one object, so that it cannot be told which of the two is meant. "+
				"Have whatever writes the body write each key once.", name))
		}
		if len(o) == maxMembers {
			return nil, errMembers
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, BadRequest("The body is not valid JSON; have it sent again.")
		}
		o[name] = value
	}
	return o, nil
}

// Object reads a member that is an object; nil when it is not there or is
// something else. The error is that of [ParseObject].
func (o Object) Object(key string) (Object, error) {
	if !bytes.HasPrefix(o[key], []byte("{")) {
		return nil, nil
	}
	return ParseObject(o[key])
}

// Objects reads the objects in a list. The error is that of [ParseObject], or says
// that the list is longer than any.
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

// Text reads a text.
func (o Object) Text(key string) (text string) {
	_ = json.Unmarshal(o[key], &text) // anything else leaves it empty
	return text
}

// Number reads a number, digit for digit as it came.
func (o Object) Number(key string) json.Number {
	value := o[key]
	if len(value) == 0 || value[0] != '-' && (value[0] < '0' || value[0] > '9') {
		return ""
	}
	return json.Number(value)
}

// Ref reads an id: a text, or a number as it came.
func (o Object) Ref(key string) string {
	if number := o.Number(key); number != "" {
		return number.String()
	}
	return o.Text(key)
}

// Time reads a time as RFC 3339 writes it; zero when it is none, or before 1970.
func (o Object) Time(key string) (at time.Time) {
	if at.UnmarshalText([]byte(o.Text(key))) != nil || at.Before(time.Unix(0, 0)) {
		return time.Time{}
	}
	return at
}

// CheckRefs says which of the event's ids cannot be kept; the error is
// [Unreadable].
func (e Event) CheckRefs() error {
	if len(e.TourIDs) > MaxTours {
		return BadRequest(fmt.Sprintf("The event names %d tours; Bookhook keeps at most %d.", len(e.TourIDs), MaxTours))
	}
	ids := [][2]string{{"channel", e.ChannelID}, {"booking", e.BookingID}}
	for _, id := range e.TourIDs {
		ids = append(ids, [2]string{"tour", id})
	}
	for _, id := range ids {
		if problem := CheckRef(id[1]); problem != "" {
			return BadRequest(fmt.Sprintf("The id of the %s, %.100q, cannot be kept. %s", id[0], id[1], problem))
		}
	}
	return nil
}
