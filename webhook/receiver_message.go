package webhook

import (
	"bytes"
	"encoding/json"
	"mime"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxMessageBody is how many bytes a response has at most that is read for a message.
const MaxMessageBody = 4 << 10

// maxMessage is how many characters a receiver's message has at most.
const maxMessage = 200

// messageMembers are where receivers write what is wrong, the most telling first.
var messageMembers = []string{"message", "detail", "error_description", "error", "text", "title", "reason", "errors"}

// ReceiverMessage returns what the receiver itself said in the response to an
// attempt, if it is short and readable: a text of one line, or the message in a JSON
// object. It returns "" for everything else, such as a page of HTML.
func ReceiverMessage(a Attempt) string {
	body := bytes.TrimSpace(a.ResponseBody)
	if len(body) == 0 || len(body) > MaxMessageBody || a.Truncated || !utf8.Valid(body) {
		return ""
	}
	if body[0] == '{' || body[0] == '[' {
		return readable(memberMessage(body, 0))
	}
	kind, _, err := mime.ParseMediaType(a.ResponseHeaders.Get("Content-Type"))
	if err != nil && a.ResponseHeaders.Get("Content-Type") != "" || kind != "" && kind != "text/plain" || body[0] == '<' {
		return ""
	}
	return readable(string(body))
}

// memberMessage finds the message in JSON: a text, the member of an object, or the
// first one of a list.
func memberMessage(text []byte, depth int) string {
	var object map[string]json.RawMessage
	var items []json.RawMessage
	var message string
	switch {
	case depth > 3:
	case json.Unmarshal(text, &message) == nil:
		return message
	case json.Unmarshal(text, &items) == nil && len(items) > 0:
		return memberMessage(items[0], depth+1)
	case json.Unmarshal(text, &object) == nil:
		for _, name := range messageMembers {
			if found := memberMessage(object[name], depth+1); strings.TrimSpace(found) != "" {
				return found
			}
		}
	}
	return ""
}

// readable returns a message on one line; "" if it is too long or not for people.
func readable(message string) string {
	message = strings.TrimSpace(message)
	if utf8.RuneCountInString(message) > maxMessage || !printable(message) || !visible(message) || !strings.ContainsFunc(message, unicode.IsLetter) {
		return ""
	}
	return message
}
