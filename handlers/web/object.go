package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"bookhook/webhook"
)

// Bounds of the JSON of a request.
const (
	MaxProblems = 100 // in one response
	MaxQuoted   = 60  // characters of the request that a message repeats
	maxDepth    = 100 // of nested objects and lists
)

// Object is a JSON object of a request. Its members are taken out one by one;
// members that remain are unknown fields. What is wrong is added to Problems under
// the member's path, such as events[3].tour_ids[0]. A null counts as missing.
type Object struct {
	Problems webhook.Invalid // of the whole request

	path    string // "", or what is before the names of members: "events[3]."
	members map[string]json.RawMessage
}

// ReadObject reads the JSON object that is the body of a request. It returns a
// [Problem] with status 400 or 415 if there is none.
func ReadObject(c *fiber.Ctx) (*Object, error) {
	kind, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || kind != fiber.MIMEApplicationJSON {
		return nil, Unsupported("Send JSON with the header “Content-Type: application/json”.")
	}
	return ParseObject(BodyOf(c))
}

// ReadNothing reads the body of a request that needs none: nothing, or {}.
func ReadNothing(c *fiber.Ctx) error {
	if len(BodyOf(c)) == 0 {
		return nil
	}
	body, err := ReadObject(c)
	if err != nil {
		return err
	}
	return body.End()
}

// ParseObject parses a JSON text that is one object, possibly behind a byte order
// mark. Its error is a [Problem] that says what is wrong, and where.
func ParseObject(text []byte) (*Object, error) {
	text = bytes.TrimPrefix(text, webhook.ByteOrderMark)
	if err := checkJSON(text); err != nil {
		return nil, err
	}
	if text = bytes.TrimSpace(text); text[0] != '{' {
		return nil, Malformed("The body must be a JSON object, such as {…}.")
	}
	return newObject("", text, webhook.Invalid{}), nil
}

func checkJSON(text []byte) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return Malformed("The body is empty; send a JSON object.")
	}
	if i := invalidUTF8(text); i >= 0 {
		return Malformed("The body is not UTF-8 at %s.", position(text, i))
	}
	if webhook.JSONDepth(text) > maxDepth {
		return Malformed("Objects and lists may be nested at most %d deep.", maxDepth)
	}
	err := webhook.CheckJSON(text)
	if wrong, ok := errors.AsType[*json.SyntaxError](err); ok {
		return Malformed("The body is not JSON at %s: %s.", position(text, int(wrong.Offset)-1), wrong)
	}
	return err
}

// invalidUTF8 finds the first byte that is not UTF-8; -1 when all are.
func invalidUTF8(text []byte) int {
	if utf8.Valid(text) {
		return -1
	}
	for i := 0; ; {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size < 2 {
			return i
		}
		i += size
	}
}

// position returns the line and column of a byte.
func position(text []byte, at int) string {
	before := text[:max(0, min(at, len(text)))]
	line := before[bytes.LastIndexByte(before, '\n')+1:]
	return fmt.Sprintf("line %d, column %d", bytes.Count(before, []byte("\n"))+1, utf8.RuneCount(line)+1)
}

// newObject splits an object into its members; text is valid JSON.
func newObject(path string, text json.RawMessage, problems webhook.Invalid) *Object {
	o := &Object{path: path, members: map[string]json.RawMessage{}, Problems: problems}
	if text[0] != '{' {
		problems.Add(strings.TrimSuffix(path, "."), "field.object")
		return o
	}
	for rest := bytes.TrimLeft(text[1:], whiteSpace); rest[0] != '}'; rest = bytes.TrimLeft(rest, whiteSpace+",") {
		var key, value []byte
		key, rest = cutValue(rest)
		value, rest = cutValue(bytes.TrimLeft(rest, whiteSpace+":"))
		name, _ := Unquote(key)
		if _, twice := o.members[name]; twice {
			o.Wrong(name, "field.twice")
		}
		o.members[name] = value
	}
	return o
}

const whiteSpace = " \t\r\n"

// cutValue splits valid JSON after its first value. A json.Decoder for each event
// would double the time to read it.
func cutValue(text []byte) (value, rest []byte) {
	deep := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			deep++
		case '}', ']':
			deep--
		default: // in a number or a literal, or inside a nested value
			if i+1 < len(text) && strings.IndexByte(whiteSpace+",:]}", text[i+1]) < 0 {
				continue
			}
		}
		if deep == 0 {
			return text[: i+1 : i+1], text[i+1:]
		}
	}
	return text, nil
}

// Unquote reads a JSON string; ok is false for any other value, and for a string
// that is not Unicode: one of its escapes is half of a surrogate pair.
func Unquote(value json.RawMessage) (text string, ok bool) {
	if value[0] != '"' {
		return "", false
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1]), true
	}
	return text, json.Unmarshal(value, &text) == nil && !webhook.LoneSurrogate(value)
}

// Wrong adds a problem of a member, as a code of package messages.
func (o *Object) Wrong(name, code string, args ...any) {
	o.WrongMessage(name, webhook.NewMessage(code, args...))
}

// WrongMessage adds a problem of a member, unless the message is zero.
func (o *Object) WrongMessage(name string, problem webhook.Message) {
	if !problem.IsZero() && len(o.Problems) < MaxProblems {
		o.Problems.AddMessage(o.path+webhook.Truncate(name, MaxQuoted), problem)
	}
}

// IsWrong reports whether a member has a problem.
func (o *Object) IsWrong(name string) bool { return !o.Problems[o.path+name].IsZero() }

// End refuses the members that were not taken, and returns all problems of the
// request as webhook.Invalid.
func (o *Object) End() error {
	for name := range o.members {
		o.Wrong(name, "field.unknown")
	}
	return o.Problems.Err()
}
