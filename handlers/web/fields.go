package web

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"bookhook/webhook"
)

// Take removes a member from the object and returns it; nil if it is missing or
// null.
func (o *Object) Take(name string) json.RawMessage {
	value := o.members[name]
	delete(o.members, name)
	if string(value) == "null" {
		return nil
	}
	return value
}

// TakeRaw is Take, but returns null as it is; nil if the member is missing.
func (o *Object) TakeRaw(name string) json.RawMessage {
	value := o.members[name]
	delete(o.members, name)
	return value
}

// Has reports whether the object has a member, which may be null.
func (o *Object) Has(name string) bool {
	_, there := o.members[name]
	return there
}

// IsNull reports whether the object has a member that is null.
func (o *Object) IsNull(name string) bool { return string(o.members[name]) == "null" }

// IsEmpty reports whether no member is left.
func (o *Object) IsEmpty() bool { return len(o.members) == 0 }

// Child reads the value of a member as an object of its own, which adds its problems
// to the same request.
func (o *Object) Child(name string, value json.RawMessage) *Object {
	return newObject(o.path+name+".", value, o.Problems)
}

// Field reads a member into to; a missing member leaves it unchanged. must says what
// the member has to be, for the problem if it is not.
func Field[T any](o *Object, name, must string, to *T) {
	if value := o.Take(name); value != nil {
		var read T
		if json.Unmarshal(value, &read) != nil {
			o.Wrong(name, "field.type", must)
			return
		}
		*to = read
	}
}

// Text reads a member that is a string into to; a missing member leaves it
// unchanged.
func Text[T ~string](o *Object, name string, to *T) {
	if value := o.Take(name); value != nil {
		read, ok := Unquote(value)
		if !ok {
			o.Wrong(name, "field.text")
			return
		}
		*to = T(read)
	}
}

// Ref reads an id of the booking system, a string or a whole number; "" if it is
// missing.
func (o *Object) Ref(name string) string {
	value := o.Take(name)
	if value == nil {
		return ""
	}
	id, problem := ReadRef(value)
	if problem.IsZero() {
		problem = webhook.CheckRef(id)
	}
	o.WrongMessage(name, problem)
	return id
}

// ReadRef returns an id, a number digit for digit, and what is wrong with it.
func ReadRef(value json.RawMessage) (id string, problem webhook.Message) {
	if strings.Trim(string(value), "0123456789") == "" {
		return string(value), webhook.Message{}
	}
	id, ok := Unquote(value)
	if !ok {
		return "", webhook.NewMessage("field.id")
	}
	return id, webhook.Message{}
}

// Refs reads a list of ids, none of which may be empty; nil if it is missing, not
// nil if it is empty.
func (o *Object) Refs(name, noun string, most int) []string {
	values := o.List(name, noun, most)
	if values == nil {
		return nil
	}
	ids := make([]string, 0, len(values))
	for i, value := range values {
		id, problem := ReadRef(value)
		switch {
		case !problem.IsZero():
		case id == "":
			problem = webhook.NewMessage("field.id_empty")
		default:
			problem = webhook.CheckRef(id)
		}
		o.WrongMessage(Element(name, i), problem)
		ids = append(ids, id)
	}
	return ids
}

// List reads a list; nil if it is missing or has more than most values. noun says
// what the values are, for the problem.
func (o *Object) List(name, noun string, most int) []json.RawMessage {
	var values []json.RawMessage
	Field(o, name, "a list, such as […]", &values)
	if len(values) > most {
		o.Wrong(name, "field.too_many", most, noun, len(values))
		return nil
	}
	return values
}

// Objects calls read with each object of a list, and refuses members that read did
// not take. It stops at [MaxProblems] problems.
func (o *Object) Objects(name, noun string, most int, read func(*Object)) {
	for i, value := range o.List(name, noun, most) {
		if len(o.Problems) >= MaxProblems {
			return
		}
		member := o.Child(Element(name, i), value)
		read(member)
		_ = member.End() // its problems are those of the whole request
	}
}

// Element names a value of a list, such as "events[3]".
func Element(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// Time reads a time of RFC 3339; zero when it is missing.
func (o *Object) Time(name string) (at time.Time) {
	var value string
	Text(o, name, &value)
	if value == "" {
		return at
	}
	at, problem := ReadTime(value)
	o.WrongMessage(name, problem)
	return at
}

// ReadTime returns a time of RFC 3339, and what is wrong with it.
func ReadTime(value string) (at time.Time, problem webhook.Message) {
	if err := at.UnmarshalText([]byte(value)); err != nil {
		if strings.Contains(value, " ") {
			return time.Time{}, webhook.NewMessage("field.time_space", webhook.Quote(value, MaxQuoted))
		}
		return time.Time{}, webhook.NewMessage("field.time", webhook.Quote(value, MaxQuoted))
	}
	if at.Year() < 1971 {
		return time.Time{}, webhook.NewMessage("field.time_early")
	}
	return at, webhook.Message{}
}
