package mail

import (
	"bytes"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"
)

// Message is one message to one address. It has a text for every mail program and
// the same as HTML.
type Message struct {
	ID          string // unique, and the same when it is sent again
	To          string // the address alone
	Subject     string
	Text, HTML  string
	Unsubscribe string // URL that ends such messages by one POST; "": there is none
	File        File   // that is attached; zero: none
}

// File is a file that comes with a message.
type File struct {
	Name    string
	Type    string // media type
	Content []byte
}

// build returns the message as it is sent. Line breaks and other control characters
// in what becomes a header are spaces.
func (m Message) build(from mail.Address, now time.Time) (*gomail.Msg, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	from.Name = oneLine(from.Name)
	if err := msg.From(from.String()); err != nil {
		return nil, fmt.Errorf("the sender: %w", err)
	}
	if err := msg.To(m.To); err != nil {
		return nil, fmt.Errorf("the recipient: %w", err)
	}
	msg.Subject(oneLine(m.Subject))
	msg.SetDateWithValue(now)
	_, domain, _ := strings.Cut(from.Address, "@")
	msg.SetMessageIDWithValue(oneLine(m.ID) + "@" + domain)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // no out-of-office replies
	if m.Unsubscribe != "" {
		msg.SetGenHeader("List-Unsubscribe", "<"+oneLine(m.Unsubscribe)+">")
		msg.SetGenHeader("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	if m.File.Name != "" {
		msg.AttachReadSeeker(oneLine(m.File.Name), bytes.NewReader(m.File.Content), gomail.WithFileContentType(gomail.ContentType(m.File.Type)))
	}
	return msg, nil
}

// oneLine returns the text with a space for each control character.
func oneLine(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text))
}
