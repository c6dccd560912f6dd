package handlers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"bookhook/webhook"
)

// Bounds of the JSON of a request.
const (
	maxDepth    = 100 // objects and lists inside each other
	maxProblems = 100 // that one answer names
	maxEcho     = 60  // characters of what was sent that a message repeats
)

// readBody reads the JSON object that a request carries.
func readBody(c *fiber.Ctx) (*object, error) {
	kind, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || kind != fiber.MIMEApplicationJSON {
		return nil, unsupported("Send JSON with the header “Content-Type: application/json”.")
	}
	return parseObject(c.BodyRaw())
}

// readNothing reads the body of a request that needs none: nothing, or {}.
func readNothing(c *fiber.Ctx) error {
	if len(c.BodyRaw()) == 0 {
		return nil
	}
	body, err := readBody(c)
	if err != nil {
		return err
	}
	return body.end()
}

func unsupported(detail string) error {
	return &problem{
		Type: "unsupported-media-type", Title: "This kind of body is not understood", Status: http.StatusUnsupportedMediaType, Detail: detail,
		meaning: "Nothing was changed, and no booking is affected.", next: detail,
	}
}

func malformed(format string, args ...any) error {
	return &problem{Type: "malformed", Title: "The body is not what it should be", Status: http.StatusBadRequest, Detail: fmt.Sprintf(format, args...)}
}

// parseObject reads a JSON text that is one object.
func parseObject(text []byte) (*object, error) {
	if err := checkJSON(text); err != nil {
		return nil, err
	}
	if text = bytes.TrimSpace(text); text[0] != '{' {
		return nil, malformed("The body must be a JSON object, such as {…}.")
	}
	return newObject("", text, webhook.Invalid{}), nil
}

// checkJSON says what is wrong with a text, and where.
func checkJSON(text []byte) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return malformed("The body is empty; send a JSON object.")
	}
	if i := invalidUTF8(text); i >= 0 {
		return malformed("The body is not UTF-8 at %s.", position(text, i))
	}
	if depth(text) > maxDepth {
		return malformed("Objects and lists may stand inside each other at most %d deep.", maxDepth)
	}
	var raw json.RawMessage
	err := json.Unmarshal(text, &raw)
	if wrong, ok := errors.AsType[*json.SyntaxError](err); ok {
		return malformed("The body is not JSON at %s: %s.", position(text, int(wrong.Offset)-1), wrong)
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

// position names the place of a byte as an editor does.
func position(text []byte, at int) string {
	before := text[:max(0, min(at, len(text)))]
	line := before[bytes.LastIndexByte(before, '\n')+1:]
	return fmt.Sprintf("line %d, column %d", bytes.Count(before, []byte("\n"))+1, utf8.RuneCount(line)+1)
}

// depth counts how deep objects and lists stand inside each other.
func depth(text []byte) int {
	deep, deepest, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case quoted && b == '\\':
			i++
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '{' || b == '[':
			deep++
			deepest = max(deepest, deep)
		case b == '}' || b == ']':
			deep--
		}
	}
	return deepest
}

// object is a JSON object of which the members are taken one by one. What is
// wrong is noted in problems under the member's path, such as
// events[3].tour_ids[0]; what is null counts as not there.
type object struct {
	path     string // "", or what stands before the names of members: "events[3]."
	members  map[string]json.RawMessage
	problems webhook.Invalid // of the whole request
}

// newObject takes an object apart; text is valid JSON.
func newObject(path string, text json.RawMessage, problems webhook.Invalid) *object {
	o := &object{path: path, members: map[string]json.RawMessage{}, problems: problems}
	if text[0] != '{' {
		problems.Add(strings.TrimSuffix(path, "."), "Must be an object, such as {…}.")
		return o
	}
	for rest := bytes.TrimLeft(text[1:], whiteSpace); rest[0] != '}'; rest = bytes.TrimLeft(rest, whiteSpace+",") {
		var key, value []byte
		key, rest = cutValue(rest)
		value, rest = cutValue(bytes.TrimLeft(rest, whiteSpace+":"))
		name, _ := unquote(key)
		if _, twice := o.members[name]; twice {
			o.wrong(name, "Stands here twice.")
		}
		o.members[name] = value
	}
	return o
}

const whiteSpace = " \t\r\n"

// cutValue cuts off the value that a piece of valid JSON begins with. A decoder
// for each event doubles the time that reading one takes.
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
		default: // in a number or a word, or between the parts of what is deeper
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

// unquote reads a JSON text.
func unquote(value json.RawMessage) (text string, ok bool) {
	if value[0] != '"' {
		return "", false
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1]), true
	}
	return text, json.Unmarshal(value, &text) == nil
}

// wrong notes what is wrong with a member.
func (o *object) wrong(name, format string, args ...any) {
	if len(o.problems) < maxProblems {
		o.problems.Add(o.path+echo(name), format, args...)
	}
}

// end refuses the members that nobody took, and tells all that is wrong with
// the request.
func (o *object) end() error {
	for name := range o.members {
		o.wrong(name, "There is no field of this name here; check the spelling.")
	}
	return o.problems.Err()
}

// echo is the beginning of a text that was sent.
func echo(text string) string {
	runes := []rune(text[:min(len(text), 4*maxEcho)])
	if len(runes) <= maxEcho {
		return string(runes)
	}
	return string(runes[:maxEcho]) + "…"
}
