package handlers

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"bookhook/webhook"
)

// take takes a member out of the object; nil when it is not there, or null.
func (o *object) take(name string) json.RawMessage {
	value := o.members[name]
	delete(o.members, name)
	if string(value) == "null" {
		return nil
	}
	return value
}

// field reads a member into to; a member that is not there leaves it alone.
// must is what it must be, for whoever sent something else.
func field[T any](o *object, name, must string, to *T) {
	if value := o.take(name); value != nil {
		var read T
		if json.Unmarshal(value, &read) != nil {
			o.wrong(name, "Must be %s.", must)
			return
		}
		*to = read
	}
}

func text[T ~string](o *object, name string, to *T) {
	if value := o.take(name); value != nil {
		read, ok := unquote(value)
		if !ok {
			o.wrong(name, "Must be text in quotes.")
			return
		}
		*to = T(read)
	}
}

// ref reads an id, a text or a whole number; "" when it is not there.
func (o *object) ref(name string) string {
	value := o.take(name)
	if value == nil {
		return ""
	}
	id, problem := readRef(value)
	if problem == "" {
		problem = webhook.CheckRef(id)
	}
	if problem != "" {
		o.wrong(name, "%s", problem)
	}
	return id
}

// readRef reads an id; a number keeps its digits, however many.
func readRef(value json.RawMessage) (id, problem string) {
	if strings.Trim(string(value), "0123456789") == "" {
		return string(value), ""
	}
	id, ok := unquote(value)
	if !ok {
		return "", "Must be an id: text in quotes, or a whole number without sign, point and exponent."
	}
	return id, ""
}

// refs reads a list of ids, none of them empty; nil when it is not there, and
// not nil when it is there and empty.
func (o *object) refs(name, noun string, most int) []string {
	values := o.list(name, noun, most)
	if values == nil {
		return nil
	}
	ids := make([]string, 0, len(values))
	for i, value := range values {
		id, problem := readRef(value)
		switch {
		case problem != "":
		case id == "":
			problem = "An id cannot be empty."
		default:
			problem = webhook.CheckRef(id)
		}
		if problem != "" {
			o.wrong(element(name, i), "%s", problem)
		}
		ids = append(ids, id)
	}
	return ids
}

// list reads a list; nil when it is not there or has more than it may have.
func (o *object) list(name, noun string, most int) []json.RawMessage {
	var values []json.RawMessage
	field(o, name, "a list, such as […]", &values)
	if len(values) > most {
		o.wrong(name, "Send at most %d %s; these are %d.", most, noun, len(values))
		return nil
	}
	return values
}

// objects reads a list of objects, as far as maxProblems lets it.
func (o *object) objects(name, noun string, most int, read func(*object)) {
	for i, value := range o.list(name, noun, most) {
		if len(o.problems) >= maxProblems {
			return
		}
		member := newObject(o.path+element(name, i)+".", value, o.problems)
		read(member)
		_ = member.end() // what is wrong is told by the whole
	}
}

func element(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// time reads a time of RFC 3339; zero when it is not there.
func (o *object) time(name string) (at time.Time) {
	var value string
	text(o, name, &value)
	if value == "" {
		return at
	}
	at, problem := readTime(value)
	if problem != "" {
		o.wrong(name, "%s", problem)
	}
	return at
}

func readTime(value string) (at time.Time, problem string) {
	if err := at.UnmarshalText([]byte(value)); err != nil {
		problem = fmt.Sprintf("“%s” is not a time as RFC 3339 has it, such as 2026-11-21T09:00:00Z.", echo(value))
		if strings.Contains(value, " ") {
			problem += " In a URL, write + as %2B."
		}
		return time.Time{}, problem
	}
	if at.Year() < 1971 {
		return time.Time{}, "Send a time after 1970."
	}
	return at, ""
}
