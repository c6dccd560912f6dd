package web

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"bookhook/webhook"
)

// Take takes a member out of the object; nil when it is missing, or null.
func (o *Object) Take(name string) json.RawMessage {
	value := o.members[name]
	delete(o.members, name)
	if string(value) == "null" {
		return nil
	}
	return value
}

// TakeRaw takes a member out of the object as it came; nil when it is missing.
func (o *Object) TakeRaw(name string) json.RawMessage {
	value := o.members[name]
	delete(o.members, name)
	return value
}

// Has reports whether a member is there, which may be null.
func (o *Object) Has(name string) bool {
	_, there := o.members[name]
	return there
}

// IsNull reports whether a member is there and null.
func (o *Object) IsNull(name string) bool { return string(o.members[name]) == "null" }

// IsEmpty reports whether no member is left.
func (o *Object) IsEmpty() bool { return len(o.members) == 0 }

// Child reads the value of a member as an object of its own, whose problems are
// those of the request.
func (o *Object) Child(name string, value json.RawMessage) *Object {
	return newObject(o.path+name+".", value, o.Problems)
}

// Field reads a member into to; a member that is missing leaves it alone. must
// says what it must be, for the problem if it is something else.
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

// Text reads a member that is a text into to; a member that is missing leaves it
// alone.
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

// Ref reads an id of the booking system, a text or a whole number; "" when it is
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

// ReadRef reads an id, and what is wrong with it; a number keeps its digits,
// however many.
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

// Refs reads a list of ids, none of them empty; nil when it is missing, and not
// nil when it is there and empty.
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

// List reads a list; nil when it is missing or has more values than most. noun
// says what they are.
func (o *Object) List(name, noun string, most int) []json.RawMessage {
	var values []json.RawMessage
	Field(o, name, "a list, such as […]", &values)
	if len(values) > most {
		o.Wrong(name, "field.too_many", most, noun, len(values))
		return nil
	}
	return values
}

// Objects reads a list of objects and refuses their members that read did not
// take. It stops at [MaxProblems] problems.
func (o *Object) Objects(name, noun string, most int, read func(*Object)) {
	for i, value := range o.List(name, noun, most) {
		if len(o.Problems) >= MaxProblems {
			return
		}
		member := o.Child(Element(name, i), value)
		read(member)
		_ = member.End() // what is wrong is noted for the whole
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

// ReadTime reads a time of RFC 3339, and what is wrong with it.
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
