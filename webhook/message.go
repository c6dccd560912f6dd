package webhook

import (
	"fmt"
	"strings"
)

// Message is a text for people as a code with its arguments. It is what is stored
// and passed on; package messages turns it into a sentence where it is shown. The
// zero Message means none.
type Message struct {
	Code  string   `json:"code"`
	Args  []string `json:"args,omitempty"`
	Cause *Message `json:"cause,omitempty"` // the last argument of the sentence, itself a message
}

// NewMessage returns a message; each argument is kept as fmt.Sprint writes it.
func NewMessage(code string, args ...any) Message {
	m := Message{Code: code}
	for _, arg := range args {
		m.Args = append(m.Args, fmt.Sprint(arg))
	}
	return m
}

// Because returns the message with a cause.
func (m Message) Because(cause Message) Message {
	m.Cause = &cause
	return m
}

// IsZero reports whether there is no message.
func (m Message) IsZero() bool { return m.Code == "" }

// Error returns the code and the arguments, for a log. The sentence for people
// is made by package messages.
func (m Message) Error() string {
	text := m.Code
	if len(m.Args) > 0 {
		text += " (" + Truncate(strings.Join(m.Args, ", "), 500) + ")"
	}
	if m.Cause != nil {
		text += ": " + m.Cause.Error()
	}
	return text
}
