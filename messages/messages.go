// Package messages turns codes into sentences: the domain, the dispatcher and the
// database use a [webhook.Message], and this package has its English text, in one
// place per kind:
//
//	problems.go  what is wrong with an input
//	forms.go     what is wrong with a form of a page
//	requests.go  what is wrong with a request of a program
//	failures.go  why an attempt failed, and what checking a URL found
//	attempts.go  the same in short, from what a delivery keeps of it
//	inbound.go   why a platform's request was rejected, notes of events
//	activity.go  entries of the activity log
//	outcomes.go  the result of what a person did on a page
//	limits.go    which limit an account has reached
//	database.go  why the database cannot be used
//	mail.go      why a message was not sent, and what people do about mail
//
// A sentence is a format of package fmt with one %s for each argument of the
// message, and one more, the last, for its cause. The texts of a booking
// platform's own messages are in its folder under platforms.
package messages

import (
	"fmt"
	"maps"

	"bookhook/webhook"
)

// Texts are sentences by their codes.
type Texts map[string]string

// all has the sentences that are not a platform's.
var all = merge(problems, forms, requests, failures, inbound, activity, outcomes, limits, database, mail)

func merge(tables ...Texts) Texts {
	merged := Texts{}
	for _, table := range tables {
		maps.Copy(merged, table)
	}
	return merged
}

// Text returns the sentence of a message. An unknown code, which a newer Bookhook
// may have stored, is shown as it is.
func Text(m webhook.Message) string { return Render(m) }

// Render is Text with more texts, such as those of the booking platforms.
func Render(m webhook.Message, more ...Texts) string {
	if m.IsZero() {
		return ""
	}
	format, ok := find(m.Code, more)
	if !ok {
		return m.Error()
	}
	args := make([]any, 0, len(m.Args)+1)
	for _, arg := range m.Args {
		args = append(args, arg)
	}
	if m.Cause != nil {
		args = append(args, Render(*m.Cause, more...))
	}
	return fmt.Sprintf(format, args...)
}

func find(code string, more []Texts) (format string, ok bool) {
	for _, texts := range more {
		if format, ok = texts[code]; ok {
			return format, true
		}
	}
	format, ok = all[code]
	return format, ok
}

// Problems returns the sentences for all fields of an Invalid.
func Problems(v webhook.Invalid, more ...Texts) map[string]string {
	texts := make(map[string]string, len(v))
	for field, problem := range v {
		texts[field] = Render(problem, more...)
	}
	return texts
}
