package views

import (
	"slices"
	"strconv"
	"strings"
	"time"

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

// timeText says what an inline webhook waits for.
func timeText(limit int) string {
	return "Waits up to " + seconds(limit) + " for the answer; one try"
}

// dropped is the event about which it is asked when there is nothing to confirm
// any more.
const dropped = "temporary_booking_deleted"

// inlineClauses are what is about to happen to a booking.
var inlineClauses = append([]clause{
	{[]string{"new_temporary_web", "new_temporary_staff"}, "is started"},
	{[]string{"new_temporary_web"}, "is started (web/API)"},
	{[]string{"new_temporary_staff"}, "is started (staff)"},
	{[]string{"check_booking_status"}, "is cancelled"},
}, clauses...)

// inlineSentence is sentenceParts for a webhook that is asked.
func inlineSentence(w *webhook.Webhook, names Names) []string {
	lead, what, several := aboutText(w.Events, names)
	comma := " "
	if several {
		comma = ", "
	}
	return []string{
		lead, what, comma, channelsText(w.Channels, names.Channels), ", ", toursText(w.Tours, names.Tours),
		", ask ", w.URL, "; no 200 within ", seconds(w.TimeLimit), " is a refusal.",
	}
}

// aboutText is what a webhook is asked about, after "Before" or "When".
func aboutText(events []string, names Names) (lead, what string, several bool) {
	asked := slices.DeleteFunc(slices.Clone(events), func(key string) bool { return key == dropped })
	if len(asked) < len(events) && len(asked) == 0 {
		return "When ", "an unconfirmed booking is dropped", false
	}
	what, several = happenings(asked, inlineClauses, names)
	if len(asked) < len(events) {
		return "Before ", what + ", and when an unconfirmed one is dropped", true
	}
	return "Before ", what, several
}

// askedNames are the events about which an inline webhook is asked.
func askedNames(w *webhook.Webhook, names Names) string {
	return strings.Join(namesOf(w.Events, names.Events), ", ")
}

// askedStory tells of a question.
func askedStory(d webhook.Delivery, attempts []webhook.Attempt, now time.Time, loc *time.Location) Story {
	const asked = "Your server"
	switch {
	case d.InFlight(now):
		return Story{What: "Bookhook is asking your server, and waits for its answer.", Next: "The answer appears here within seconds; if it does not, reload the page."}
	case d.State == webhook.Pending:
		return Story{What: "Bookhook asked your server, and could not write down the answer yet.", Next: "It appears here as soon as the database takes it."}
	case d.Answered == 0:
		return Story{
			What: "Bookhook was stopped while it asked your server, so nobody knows the answer.",
			Why:  "The booking counts as refused.",
			Next: "Nothing is asked again: the moment is over. The booking system can ask about a new booking.",
		}
	case d.State == webhook.Delivered:
		return Story{What: asked + " accepted " + thing(d) + " at " + clock(d.Finished, now, loc) + ", after " + took(d.Last.Duration) + ".", Next: "Nothing is left to do."}
	}
	s := Story{
		What: asked + " refused " + thing(d) + ": " + lowerFirst(outcomeText(d.Last)),
		Next: askedAdvice(d.Last) + " Nothing is asked again: the moment is over.",
	}
	if text := receiverText(attempts); text != "" {
		s.What, s.Why = asked+" refused "+thing(d)+": "+quoted(text), outcomeText(d.Last)
	}
	return s
}

// quoted is a text of the receiver's at the end of a sentence.
func quoted(text string) string {
	if strings.HasSuffix(text, ".") || strings.HasSuffix(text, "!") || strings.HasSuffix(text, "?") {
		return "“" + text + "”"
	}
	return "“" + text + "”."
}

// thing is what a question is about.
func thing(d webhook.Delivery) string {
	if d.Test {
		return "the test booking"
	}
	return "the booking"
}

// askedAdvice is what to look at after a refusal.
func askedAdvice(o webhook.Outcome) string {
	switch {
	case o.Failure == webhook.FailTimeout:
		return "Let your server answer sooner, or give the webhook a longer time limit."
	case o.Failure == webhook.FailAnswer:
		return "Let your server answer with an empty body, or with a JSON object and the content type application/json."
	case o.Failure == webhook.FailStatus && o.Status < 500:
		return "If your server meant to accept it, it has to answer 200."
	}
	return advice(o)
}

// receiverText is what the receiver wrote for people.
func receiverText(attempts []webhook.Attempt) string {
	for _, a := range attempts {
		if text := webhook.VerdictOf(a).Text; text != "" {
			return text
		}
	}
	return ""
}

// ticketsOf are the tickets of an answer, laid out; "" for none.
func ticketsOf(attempts []webhook.Attempt) string {
	for _, a := range attempts {
		if tickets := webhook.VerdictOf(a).Tickets; tickets != nil {
			if pretty, ok := prettyJSON(tickets); ok {
				return pretty
			}
			return string(tickets)
		}
	}
	return ""
}

// inlineTrial says what came of asking before a webhook is saved.
func inlineTrial(a webhook.Attempt) string {
	if a.Failure == "" {
		return "Your server accepted the test booking after " + took(a.Duration) + "."
	}
	return "Your server refused the test booking. " + trialText(a)
}

// timeLimit is the time limit as it stands in the form.
func timeLimit(p WizardProps) string {
	if p.Problems["time_limit"] != "" {
		return p.Limit
	}
	return strconv.Itoa(p.Draft.TimeLimit)
}

// stateName is the state of a delivery; a question has answers.
func stateName(d webhook.Delivery) string {
	switch {
	case d.Asked && d.State == webhook.Delivered:
		return "Accepted"
	case d.Asked && d.State == webhook.Failed:
		return "Refused"
	}
	return StateName(d.State)
}

// recentTitle heads what a webhook got lately.
func recentTitle(w *webhook.Webhook) string {
	if w.Kind == webhook.Inline {
		return "Recent questions"
	}
	return "Recent deliveries"
}

// firstTitle heads the place where that will appear.
func firstTitle(w *webhook.Webhook) string {
	if w.Kind == webhook.Inline {
		return "Waiting for the first question"
	}
	return "Waiting for the first delivery"
}

// toldOrAsked is what a webhook is for.
func toldOrAsked(w *webhook.Webhook) string { return kindToldOrAsked(w.Kind) }

func kindToldOrAsked(k webhook.Kind) string {
	if k == webhook.Inline {
		return "asked about"
	}
	return "told of"
}
