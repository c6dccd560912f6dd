package webhook

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"unicode/utf8"
)

// InlineCall is the result of calling the inline webhook of an account about an
// event, before a booking is confirmed.
type InlineCall struct {
	Event     Event
	Decisions []Decision // one for every inline webhook of the account, in the order they were made
	Duplicate bool       // the external id was known: this is the answer to the first call
	Job       Job        // the call; its delivery is zero when no webhook matched
	Attempt   Attempt    // of the delivery; zero when it was cut off, or no webhook was called
	InlineAnswer
}

// Called reports whether a webhook was called.
func (c InlineCall) Called() bool { return c.Job.Delivery.ID != 0 }

// InlineAnswer is the answer of a receiver to an inline call.
type InlineAnswer struct {
	Accepted bool            // the booking may be confirmed
	Reason   Failure         // why it is refused; "" when it is accepted
	Error    Message         // the same, explained
	Text     string          // what the receiver wrote for people
	Tickets  json.RawMessage // its tickets, as received; nil when there are none
}

// AnswerOf reads the answer from the attempt of an inline call. A refusal can
// have a text, too.
func AnswerOf(a Attempt) InlineAnswer {
	answer := InlineAnswer{Accepted: a.Failure == "", Reason: a.Failure, Error: a.Error}
	answer.Text, answer.Tickets, _ = ReadInlineBody(a)
	return answer
}

// RefusesBooking reports whether the receiver answered with a status that says that it did
// not like what was sent: it works. Others, such as 401 or 404, say that the address or the
// key is not right.
func (o Outcome) RefusesBooking() bool {
	return o.Failure == FailStatus &&
		(o.Status == http.StatusBadRequest || o.Status == http.StatusConflict || o.Status == http.StatusUnprocessableEntity)
}

// CutOffAnswer is the refusal if the receiver's answer is not known.
var CutOffAnswer = InlineAnswer{Reason: CutOff, Error: NewMessage("inline.cut_off")}

// ReadInlineBody reads text and tickets from the response to an inline call. A
// valid body is empty, or a JSON object with the content type of JSON; the
// problem says what is wrong with another.
func ReadInlineBody(a Attempt) (text string, tickets json.RawMessage, problem Message) {
	body := bytes.TrimSpace(a.ResponseBody)
	if len(body) == 0 {
		return "", nil, Message{}
	}
	contentType := a.ResponseHeaders.Get("Content-Type")
	if parsed, _, err := mime.ParseMediaType(contentType); err != nil || parsed != "application/json" {
		return "", nil, NewMessage("inline.content_type", Quote(contentType, 60))
	}
	switch {
	case a.Truncated:
		return "", nil, NewMessage("inline.too_long", MaxStoredBody>>10)
	case !utf8.Valid(body) || !json.Valid(body):
		return "", nil, NewMessage("inline.not_json")
	case body[0] != '{':
		return "", nil, NewMessage("inline.no_object")
	}
	var members map[string]json.RawMessage // exact names: a struct would take Text for text
	if err := json.Unmarshal(body, &members); err != nil {
		return "", nil, NewMessage("inline.not_json")
	}
	if json.Unmarshal(members["text"], &text) != nil {
		text = "" // not a text, or not there
	}
	if tickets = members["tickets"]; string(tickets) == "null" {
		tickets = nil
	}
	return text, tickets, Message{}
}

// ChannelConflict is a channel for which two inline webhooks would be called.
type ChannelConflict struct {
	With    *Webhook
	Channel string // its id; "" when both are for all channels
}

// FindChannelConflict finds an inline webhook among all of the account's that has
// a channel in common with w; those that are off count, w itself does not. It is
// nil when there is none, or w is no inline webhook.
func FindChannelConflict(w *Webhook, all []*Webhook) *ChannelConflict {
	if w.Kind != Inline {
		return nil
	}
	for _, other := range all {
		if other.Kind != Inline || other.ID == w.ID {
			continue
		}
		if channel, both := commonChannel(w.Channels, other.Channels); both {
			return &ChannelConflict{other, channel}
		}
	}
	return nil
}

// commonChannel returns a channel that matches both filters.
func commonChannel(one, other Filter) (channel string, both bool) {
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

// Problem says what to do about the conflict; channel is the channel's name.
func (c ChannelConflict) Problem(channel string) Message {
	if c.Channel == "" {
		return NewMessage("channels.all_taken", c.With.Name)
	}
	return NewMessage("channels.taken", c.With.Name, channel)
}
