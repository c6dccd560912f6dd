package views

import (
	"strconv"
	"strings"
	"time"

	"bookhook/messages"
	"bookhook/webhook"
)

// kindName is a type of webhook as people read it.
func kindName(k webhook.Kind) string {
	if k == webhook.Inline {
		return "Synchronous (inline) webhook"
	}
	return "Asynchronous (post-booking) webhook"
}

// seconds is a time limit in words.
func seconds(n int) string { return count(n, false, "second", "seconds") }

// timeLimitText says how long a synchronous webhook has to answer.
func timeLimitText(limit int) string {
	return "Has " + seconds(limit) + " to answer; one attempt only"
}

// inlineStory is StoryOf for a request of a synchronous webhook.
func inlineStory(d webhook.Delivery, attempts []webhook.Attempt, w *webhook.Webhook, now time.Time, loc *time.Location) Story {
	name := receiverName(w)
	switch {
	case d.InFlight(now):
		return Story{What: "Bookhook is waiting for the answer of " + name + ".", Next: "It appears here within seconds; if it does not, reload the page."}
	case d.State == webhook.Pending:
		return Story{What: "The answer of " + name + " could not be stored yet.", Next: "It appears here as soon as the database accepts it."}
	case d.Completed == 0:
		return Story{
			What: "Bookhook stopped before it had the answer of " + name + ".",
			Why:  "The booking counts as refused.",
			Next: notAgain,
		}
	case d.State == webhook.Delivered:
		return Story{
			What: messages.AtStart(name) + " accepted " + inlineSubject(d) + " at " + clock(d.Finished, now, loc) + ", after " + duration(d.Last.Duration) + ".",
		}
	}
	s := Story{
		What: messages.AtStart(name) + " refused " + inlineSubject(d) + ".",
		Why:  messages.OutcomeText(d.Last, name),
		Next: inlineAdvice(d.Last) + " " + notAgain,
	}
	if text := receiverText(attempts); text != "" {
		s.What = messages.AtStart(name) + " refused " + inlineSubject(d) + ": " + quoted(text)
	}
	return s
}

// notAgain says why there is no second attempt of a synchronous webhook.
const notAgain = "It is not sent again, since the booking was decided."

// quoted is a text of the receiver at the end of a sentence.
func quoted(text string) string {
	if strings.HasSuffix(text, ".") || strings.HasSuffix(text, "!") || strings.HasSuffix(text, "?") {
		return "“" + text + "”"
	}
	return "“" + text + "”."
}

// inlineSubject is what the receiver accepted or refused.
func inlineSubject(d webhook.Delivery) string {
	if d.Test {
		return "the test booking"
	}
	return "the booking"
}

// inlineAdvice says what to do about a refusal.
func inlineAdvice(o webhook.Outcome) string {
	switch {
	case o.Failure == webhook.FailTimeout:
		return "The receiver should answer sooner, or the webhook needs a longer time limit."
	case o.Failure == webhook.FailStatus && o.Status < 500:
		return "If the receiver meant to accept the booking, it has to answer 200."
	}
	return messages.Advice(o)
}

// receiverText is what the receiver wrote for people.
func receiverText(attempts []webhook.Attempt) string {
	for _, a := range attempts {
		if text := webhook.AnswerOf(a).Text; text != "" {
			return text
		}
	}
	return ""
}

// ticketsOf are the tickets that the receiver sent, as indented JSON; "" for none.
func ticketsOf(attempts []webhook.Attempt) string {
	for _, a := range attempts {
		if tickets := webhook.AnswerOf(a).Tickets; tickets != nil {
			if pretty, ok := prettyJSON(tickets); ok {
				return pretty
			}
			return string(tickets)
		}
	}
	return ""
}

// timeLimit is the time limit to show in the form.
func timeLimit(p WizardProps) string {
	if !p.Problems["time_limit"].IsZero() {
		return p.Limit
	}
	return strconv.Itoa(p.Draft.TimeLimit)
}

// deliveryStateName is StateName for a delivery, which a synchronous webhook
// accepts or refuses.
func deliveryStateName(d webhook.Delivery) string {
	switch {
	case d.Inline && d.State == webhook.Delivered:
		return "Accepted"
	case d.Inline && d.State == webhook.Failed:
		return "Refused"
	}
	return StateName(d.State)
}
