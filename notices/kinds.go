package notices

import (
	"context"
	"strings"
	"time"

	"bookhook/mail"
	"bookhook/webhook"
)

// kinds make a letter of a message in the outbox, by its kind.
var kinds = map[webhook.MailKind]func(w *Worker, ctx context.Context, m webhook.Mail, now time.Time) (letter, error){
	webhook.MailInvitation: (*Worker).invitation,
	webhook.MailReset:      (*Worker).reset,
	webhook.MailIncident:   (*Worker).incident,
	webhook.MailConfirm:    (*Worker).confirm,
	webhook.MailFallback:   (*Worker).fallback,
}

// letter is what a message says. Each text is a sentence or a few, without markup.
type letter struct {
	Subject string
	Account string   // the name of the account that it is about; "" if it is about none, or names it
	Text    []string // paragraphs
	List    []string // lines below them
	Button  button   // what to do
	Links   []button // more of it
	Small   []string // paragraphs below it: until when, and why this came
	Choose  string   // URL where such messages are chosen; "": they cannot be
	Stop    string   // URL that ends such messages; "": there is none
	File    mail.File
}

// button is a link.
type button struct{ Text, URL string }

// text returns the link as plain text.
func (b button) text() string { return b.Text + ":\n" + b.URL }

// The links at the foot of messages that people choose.
const (
	chooseText = "Choose your notices and quiet hours"
	stopText   = "Stop these messages"
)

// write makes the message that is sent of one in the outbox.
func (w *Worker) write(ctx context.Context, m webhook.Mail, now time.Time) (mail.Message, error) {
	compose, known := kinds[m.Kind]
	if !known {
		return mail.Message{}, mail.Failure{Message: webhook.NewMessage("mail.unknown"), Temporary: true}
	}
	l, err := compose(w, ctx, m, now)
	if err != nil {
		return mail.Message{}, err
	}
	return l.message(ctx, m.ID.String(), m.To)
}

// message returns the letter as it is sent.
func (l letter) message(ctx context.Context, id, to string) (mail.Message, error) {
	var html strings.Builder
	err := page(l).Render(ctx, &html)
	return mail.Message{ID: id, To: to, Subject: l.header(), Text: l.text(), HTML: html.String(), Unsubscribe: l.Stop, File: l.File}, err
}

// header is the subject of the message: whoever gets those of several accounts sees
// which one it is.
func (l letter) header() string {
	if l.Account == "" {
		return l.Subject
	}
	return l.Subject + " – " + l.Account
}

// text returns the letter as plain text.
func (l letter) text() string {
	paragraphs := append([]string{}, l.Text...)
	if len(l.List) > 0 {
		paragraphs = append(paragraphs, "- "+strings.Join(l.List, "\n- "))
	}
	if l.Button.URL != "" {
		paragraphs = append(paragraphs, l.Button.text())
	}
	for _, link := range l.Links {
		paragraphs = append(paragraphs, link.text())
	}
	paragraphs = append(paragraphs, l.Small...)
	if l.Choose != "" {
		paragraphs = append(paragraphs, button{chooseText, l.Choose}.text())
	}
	if l.Stop != "" {
		paragraphs = append(paragraphs, button{stopText, l.Stop}.text())
	}
	return strings.Join(paragraphs, "\n\n") + "\n"
}

// moment returns a time in the time zone of an account, with the name of the zone.
func moment(t time.Time, a webhook.Account) string {
	loc := a.Location()
	return t.In(loc).Format("Monday, 2 January 2006, 15:04") + " (" + strings.ReplaceAll(loc.String(), "_", " ") + ")"
}
