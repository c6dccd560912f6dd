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

// Int reads a member that is a whole number into to; a missing member leaves it
// unchanged. A number that no int can hold becomes the nearest one.
func (o *Object) Int(name, must string, to *int) {
	if value := o.Take(name); value != nil {
		digits, ok := wholeNumber(value)
		if !ok {
			o.Wrong(name, "field.type", must)
			return
		}
		*to, _ = strconv.Atoi(digits) // out of range it is the nearest
	}
}

// maxDigits bounds how many digits an exponent can make of a short text.
const maxDigits = 1000

// wholeNumber returns a JSON number that is whole, however it is written, as digits:
// 1.0 is 1, and 1e2 is 100.
func wholeNumber(value json.RawMessage) (digits string, ok bool) {
	text, negative := strings.CutPrefix(string(value), "-")
	if text[0] < '0' || text[0] > '9' {
		return "", false
	}
	zeros := 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		exponent, err := strconv.Atoi(text[i+1:])
		if far := len(text) + maxDigits; err != nil || exponent < -far || exponent > far {
			exponent = far // whether it is zero does not depend on it, and no other number is whole and short enough
		}
		text, zeros = text[:i], exponent
	}
	whole, fraction, _ := strings.Cut(text, ".")
	all := strings.TrimLeft(whole+fraction, "0")
	digits = strings.TrimRight(all, "0")
	if digits == "" {
		return "0", true
	}
	zeros += len(all) - len(digits) - len(fraction)
	if zeros < 0 || len(digits)+zeros > maxDigits {
		return "", false
	}
	if negative {
		digits = "-" + digits
	}
	return digits + strings.Repeat("0", zeros), true
}

// Text reads a member that is a string into to; a missing member leaves it
// unchanged.
func Text[T ~string](o *Object, name string, to *T) {
	if value := o.Take(name); value != nil {
		read, ok := Unquote(value)
		if !ok {
			o.WrongMessage(name, NotText(value, "field.text"))
			return
		}
		*to = T(read)
	}
}

// NotText says what is wrong with a value that [Unquote] does not read: code, unless
// it is a string.
func NotText(value json.RawMessage, code string) webhook.Message {
	if value[0] == '"' {
		code = "field.surrogate"
	}
	return webhook.NewMessage(code)
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

// ReadRef returns an id, a number with all its digits, and what is wrong with it.
func ReadRef(value json.RawMessage) (id string, problem webhook.Message) {
	if id, ok := Unquote(value); ok {
		return id, webhook.Message{}
	}
	if digits, ok := wholeNumber(value); ok && digits[0] != '-' {
		return digits, webhook.Message{}
	}
	return "", NotText(value, "field.id")
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
	value := o.Take(name)
	if value == nil {
		return at
	}
	text, ok := Unquote(value)
	if !ok {
		o.WrongMessage(name, NotText(value, "field.text"))
		return at
	}
	at, problem := ReadTime(text)
	o.WrongMessage(name, problem)
	return at
}

// ReadTime returns a time of RFC 3339, and what is wrong with it.
func ReadTime(value string) (at time.Time, problem webhook.Message) {
	if err := at.UnmarshalText([]byte(value)); err != nil || strings.Contains(value, ",") { // Go takes a comma before a fraction
		if strings.Contains(value, " ") {
			return time.Time{}, webhook.NewMessage("field.time_space", webhook.Quote(value, MaxQuoted))
		}
		return time.Time{}, webhook.NewMessage("field.time", webhook.Quote(value, MaxQuoted))
	}
	if at.Year() < 1971 || at.Year() > 8999 {
		return time.Time{}, webhook.NewMessage("field.time_range")
	}
	return at, webhook.Message{}
}
