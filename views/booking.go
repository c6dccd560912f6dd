package views

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"

	"bookhook/messages"
	"bookhook/webhook"
)

// BookingProps are the props of a booking's page.
type BookingProps struct {
	Page      Page
	Reference string
	Events    []BookingStep   // newest first
	Older     webhook.EventID // the next page has those before it; zero on the last one
	First     bool            // this is the first page
}

// BookingStep is one event of a booking: what changed in it and what became of it.
type BookingStep struct {
	Event       webhook.Event
	EventName   string
	Platform    string // as people know it
	Names       Names  // of its channel and tours
	Changes     []webhook.Difference
	MoreChanges bool // there are more than Changes
	Compared    bool // there is an event before it with which it was compared
	Decisions   []BookingDecision
}

// tours names the tours of the event.
func (s BookingStep) tours() []string {
	texts := make([]string, len(s.Event.TourIDs))
	for i, id := range s.Event.TourIDs {
		texts[i] = truncate(cmp.Or(s.Names.Tours[id], "tour "+id))
	}
	return texts
}

// BookingDecision is whether an event is sent to one webhook, and how often it was.
type BookingDecision struct {
	DecisionRow
	Sent     bool              // it has a delivery, or had one that is no longer in the log
	Receiver *webhook.Webhook  // nil when it was deleted
	Attempts []webhook.Attempt // the newest ones, in their order
}

// Differences of an event that a page shows at once and folded, and characters of a
// value in them.
const (
	shownChanges  = 6
	listedChanges = 30
	shownValue    = 80
)

// change is a difference in words.
type change struct{ name, now, was string }

// tone is that of the event's deliveries together.
func (s BookingStep) tone() string {
	var a arrival
	for _, d := range s.Decisions {
		a.count(d)
	}
	return a.tone()
}

// changes are the differences of an event in words, those of a status first. What is
// said by the event's type or is an id of the event is left out.
func (s BookingStep) changes() []change {
	var all, later []change
	for _, d := range s.Changes {
		c := change{name: changedName(d.Path), now: shownJSON(d.Value), was: shownJSON(d.Was)}
		switch {
		case c.now == s.Event.Type || c.now != "" && strings.HasSuffix(s.Event.ExternalID, c.now):
		case strings.Contains(strings.ToLower(c.name), "status"):
			all = append(all, c)
		default:
			later = append(later, c)
		}
	}
	return append(all, later...)
}

// changedName is a JSON pointer into an event for people: /data/customer/0/first_name
// is "customer 1 first name".
func changedName(path string) string {
	parts := strings.Split(path, "/")
	if len(parts) < 3 {
		return "data"
	}
	for i, part := range parts[2:] {
		part = strings.NewReplacer("~1", "/", "~0", "~", "_", " ").Replace(part)
		if n, err := strconv.Atoi(part); err == nil {
			part = strconv.Itoa(n + 1)
		}
		parts[i+2] = part
	}
	return webhook.Quote(strings.Join(parts[2:], " "), shownValue)
}

// shownJSON is a JSON value for people: a text without its quotation marks; "" for
// none.
func shownJSON(value json.RawMessage) string {
	var text string
	switch {
	case string(value) == "null":
		return "nothing"
	case value == nil || json.Unmarshal(value, &text) != nil:
		text = string(value[:min(len(value), 4*shownValue)])
	case text == "":
		return "empty"
	}
	return webhook.Quote(text, shownValue)
}

// outcomes are the lines of a delivery's attempts, the newest first: those that are in
// the log, and the numbers between that are not.
func (d BookingDecision) outcomes() []webhook.Attempt {
	listed := listedAttempts(DeliveryProps{Delivery: *d.Delivery, Attempts: d.Attempts})
	return listed[:min(len(listed), webhook.BookingAttempts)]
}

// attemptText is what an attempt came to, in the words of the receiver if it said
// something short.
func (d BookingDecision) attemptText(p Page, a webhook.Attempt) string {
	props := DeliveryProps{Page: p, Delivery: *d.Delivery}
	text := messages.AnswerText(a.Outcome())
	switch {
	case inProgress(props, a):
		return "in progress"
	case a.Method == "":
		return messages.FailureWord(webhook.CutOff)
	case a.Failure == "":
		return text
	}
	if said := webhook.ReceiverMessage(a); said != "" {
		text += ": “" + truncate(said) + "”"
	}
	return text
}

// lastText is what is beside the status of a delivery: what the last attempt came to,
// and when there is another.
func (d BookingDecision) lastText(p Page) string {
	row := DeliveryRow{Delivery: *d.Delivery, WebhookOff: d.Receiver != nil && !d.Receiver.Enabled, Paused: d.Receiver != nil && d.Receiver.Circuit.Open()}
	var texts []string
	if all := d.outcomes(); len(all) > 0 && !inProgress(DeliveryProps{Page: p, Delivery: *d.Delivery}, all[0]) {
		texts = append(texts, d.attemptText(p, all[0]))
	}
	if d.Delivery.State == webhook.Pending && !d.Delivery.Inline && !d.Delivery.InFlight(p.Now) {
		texts = append(texts, nextAttemptShort(row, p.Now))
	}
	return strings.Join(texts, " · ")
}

// skipped are the decisions of an event without a delivery.
func (s BookingStep) skipped() (all []BookingDecision) {
	for _, d := range s.Decisions {
		if !d.Sent {
			all = append(all, d)
		}
	}
	return all
}

// sent are the decisions of an event with a delivery: those that are open, and those
// that arrived.
func (s BookingStep) sent() (open, done []BookingDecision) {
	for _, d := range s.Decisions {
		switch {
		case !d.Sent:
		case d.Delivery != nil && d.Delivery.State == webhook.Delivered:
			done = append(done, d)
		default:
			open = append(open, d)
		}
	}
	return open, done
}

func hookTexts(all []BookingDecision) []string {
	texts := make([]string, len(all))
	for i, d := range all {
		texts[i] = truncate(d.Name)
	}
	return texts
}
