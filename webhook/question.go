package webhook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"unicode/utf8"
)

// Answer is what came of asking the inline webhook of an account about an
// event, before a booking is confirmed.
type Answer struct {
	Event     Event
	Decisions []Decision // one for every inline webhook of the account, in the order they were made
	Duplicate bool       // the external id was known: this is what was answered the first time
	Job       Job        // the question; its delivery is zero when no webhook matched
	Attempt   Attempt    // of the delivery; zero when it was cut off, or nobody was asked
	Verdict
}

// Asked says whether a webhook was asked.
func (a Answer) Asked() bool { return a.Job.Delivery.ID != 0 }

// Verdict is what a receiver says to a question.
type Verdict struct {
	Accepted bool            // the booking may be confirmed
	Reason   Failure         // why it is refused; "" when it is accepted
	Error    string          // that in plain words
	Text     string          // what the receiver wrote for people
	Tickets  json.RawMessage // its tickets, as they came; nil when there are none
}

// VerdictOf reads the verdict from an attempt to ask. What the receiver wrote is
// read even if it refuses.
func VerdictOf(a Attempt) Verdict {
	v := Verdict{Accepted: a.Failure == "", Reason: a.Failure, Error: a.Error}
	v.Text, v.Tickets, _ = ReadAnswer(a)
	return v
}

// CutOffVerdict is the refusal when nobody knows what the receiver said.
var CutOffVerdict = Verdict{
	Reason: CutOff, Error: "Bookhook stopped while it asked, so the answer is not known. The booking counts as refused.",
}

// ReadAnswer reads text and tickets from the answer to a question; the problem
// says in plain words why a 200 with such a body is no answer. The body is empty
// or a JSON object, with the content type of JSON.
func ReadAnswer(a Attempt) (text string, tickets json.RawMessage, problem string) {
	body := bytes.TrimSpace(a.ResponseBody)
	if len(body) == 0 {
		return "", nil, ""
	}
	kind := a.ResponseHeaders.Get("Content-Type")
	if parsed, _, err := mime.ParseMediaType(kind); err != nil || parsed != "application/json" {
		return "", nil, fmt.Sprintf("it has the content type %q", fit(kind))
	}
	switch {
	case a.Truncated:
		return "", nil, fmt.Sprintf("it is longer than %d KiB", MaxStoredBody>>10)
	case !utf8.Valid(body) || !json.Valid(body):
		return "", nil, "it is not valid JSON"
	case body[0] != '{':
		return "", nil, "it is not a JSON object"
	}
	var members map[string]json.RawMessage // exact names: a struct would take Text for text
	if err := json.Unmarshal(body, &members); err != nil {
		return "", nil, "it is not valid JSON"
	}
	if json.Unmarshal(members["text"], &text) != nil {
		text = "" // not a text, or not there
	}
	if tickets = members["tickets"]; string(tickets) == "null" {
		tickets = nil
	}
	return text, tickets, ""
}

// fit shortens what others wrote to what a sentence can quote.
func fit(text string) string {
	const most = 60
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

// Clash is a channel about which two inline webhooks would be asked.
type Clash struct {
	With    *Webhook
	Channel string // its id; "" when both are of all channels
}

// ClashOf finds an inline webhook among all of the account's that has a channel
// in common with w; those that are off count, w itself does not. It is nil when
// there is none, or w is no inline webhook.
func ClashOf(w *Webhook, all []*Webhook) *Clash {
	for _, other := range all {
		if w.Kind != Inline || other.Kind != Inline || other.ID == w.ID {
			continue
		}
		if channel, both := shared(w.Channels, other.Channels); both {
			return &Clash{other, channel}
		}
	}
	return nil
}

// shared is a channel that both filters let through.
func shared(one, other Filter) (channel string, both bool) {
	if one.Mode == All && other.Mode == All {
		return "", true
	}
	if one.Mode == All {
		one, other = other, one
	}
	for _, id := range one.IDs {
		if other.Mode == All || other.lists(id) {
			return id, true
		}
	}
	return "", false
}

// Problem says what to do about the clash; channel is what people call it.
func (c Clash) Problem(channel string) string {
	if c.Channel == "" {
		return fmt.Sprintf("The webhook “%s” is asked about all channels already, and there is one synchronous webhook for a channel. "+
			"Select other channels here and there, or delete that webhook.", c.With.Name)
	}
	return fmt.Sprintf("The webhook “%s” is asked about the channel %s already, and there is one synchronous webhook for a channel. "+
		"Leave the channel out here, or take it out there.", c.With.Name, channel)
}
