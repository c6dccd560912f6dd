package views

import (
	"slices"
	"strings"
	"unicode/utf8"

	"bookhook/webhook"
)

// How much of a list Sentence names before it counts the rest.
const (
	namedInFull = 5  // lists of up to this length stand in full
	namedFirst  = 3  // of longer ones this many are named
	longestName = 60 // characters of a name
)

// Sentence says in one sentence that a person can check what the webhook is
// told of and where: "When a booking is cancelled on any channel, for any tour,
// call https://example.com/bookings." Long lists and names are shortened.
func Sentence(w *webhook.Webhook, names Names) string {
	return strings.Join(sentenceParts(w, names), "")
}

// sentenceParts is Sentence in parts: every second one is what was chosen, and
// stands out on the page.
func sentenceParts(w *webhook.Webhook, names Names) []string {
	if w.Kind == webhook.Inline {
		return inlineSentence(w, names)
	}
	told, several := eventsText(w, names)
	comma := " "
	if several {
		comma = ", "
	}
	return []string{
		"When ", told, comma, channelsText(w.Channels, names.Channels), ", ",
		toursText(w.Tours, names.Tours), ", call ", w.URL, ".",
	}
}

// draftWebhook is as much of a webhook as Sentence needs.
func draftWebhook(d *webhook.Draft) *webhook.Webhook {
	events := d.Events
	if d.AllEvents {
		events = []string{webhook.AllEventsKey}
	}
	return &webhook.Webhook{Kind: d.Kind, TimeLimit: d.TimeLimit, URL: d.URL, Events: events, Channels: d.Channels, Tours: d.Tours}
}

// clause is what happens to a booking with one of the events.
type clause struct {
	keys []string
	text string
}

// clauses say what happens to a booking; events without one are quoted by name.
// Where both halves of a pair are chosen, the pair is said once.
var clauses = []clause{
	{[]string{"new_confirmed_staff", "new_confirmed_web"}, "is confirmed"},
	{[]string{"new_confirmed_staff"}, "is confirmed (staff)"},
	{[]string{"new_confirmed_web"}, "is confirmed (web/API)"},
	{[]string{"new_provisional_staff", "new_provisional_web"}, "becomes provisional"},
	{[]string{"new_provisional_staff"}, "becomes provisional (staff)"},
	{[]string{"new_provisional_web"}, "becomes provisional (web/API)"},
	{[]string{"new_quotation_staff", "new_quotation_web"}, "becomes a quotation"},
	{[]string{"new_quotation_staff"}, "becomes a quotation (staff)"},
	{[]string{"new_quotation_web"}, "becomes a quotation (web/API)"},
	{[]string{"cancelled"}, "is cancelled"},
	{[]string{"expq_quotation"}, "expires as a quotation"},
	{[]string{"expp_provisional"}, "expires while provisional"},
	{[]string{"redeem_voucher"}, "has a voucher redeemed"},
	{[]string{"token_success"}, "is paid by payment request"},
	{[]string{"token_failure"}, "fails to be paid by payment request"},
}

// eventsText is the part after "When", and whether it names several things.
func eventsText(w *webhook.Webhook, names Names) (string, bool) {
	if w.AllEvents() {
		return "anything happens to a booking", false
	}
	return happenings(w.Events, clauses, names)
}

// happenings says what happens with one of the events, and whether it names
// several things.
func happenings(events []string, said []clause, names Names) (string, bool) {
	booking, others := phrases(events, said)
	for i, key := range others {
		others[i] = "“" + shortName(nameOf(names.Events, key)) + "”"
		if platform, _ := webhook.SplitEventKey(key); names.Platforms[platform] != "" && platform != webhook.DefaultPlatform {
			others[i] += " (" + names.Platforms[platform] + ")"
		}
	}
	all := len(booking) + len(others)
	switch {
	case all == 0:
		return "nothing yet happens (no event is chosen)", false
	case len(others) == 0 && all <= namedInFull:
		return "a booking " + list(booking, "or"), all > 1
	case len(others) == 0:
		return "a booking " + strings.Join(booking[:namedFirst], ", ") + " or one of " + number(all-namedFirst) + " other events happens", true
	case len(booking) == 0:
		return nameFew(others, "or", "other events") + " happens", all > 1
	}
	booking = booking[:min(len(booking), namedFirst)]
	others = others[:min(len(others), namedInFull-len(booking))]
	if rest := all - len(booking) - len(others); rest > 0 {
		others = append(others, "one of "+number(rest)+" other events")
	}
	return "a booking " + strings.Join(booking, ", ") + ", or " + list(others, "or") + " happens", true
}

// phrases are the clauses of the keys, and the keys without one.
func phrases(keys []string, known []clause) (said, rest []string) {
	rest = slices.Clone(keys)
	for _, c := range known {
		if slices.ContainsFunc(c.keys, func(k string) bool { return !slices.Contains(rest, k) }) {
			continue
		}
		said = append(said, c.text)
		rest = slices.DeleteFunc(rest, func(k string) bool { return slices.Contains(c.keys, k) })
	}
	return said, rest
}

func channelsText(f webhook.Filter, names map[string]string) string {
	switch shown := few(f.IDs, names); {
	case f.Mode != webhook.Include:
		return "on any channel"
	case len(f.IDs) == 0:
		return "on no channel yet"
	case len(shown) < len(f.IDs):
		return "on the channels " + strings.Join(shown, ", ") + " or one of " + number(len(f.IDs)-len(shown)) + " others"
	default:
		return "on the " + list(shown, "or") + " channel"
	}
}

func toursText(f webhook.Filter, names map[string]string) string {
	named := nameFew(namesOf(f.IDs, names), "or", "others")
	switch {
	case f.Mode == webhook.All || f.Mode == "":
		return "for any tour"
	case len(f.IDs) == 0:
		return "for no tour yet"
	case f.Mode == webhook.Exclude:
		return "for any tour except " + nameFew(namesOf(f.IDs, names), "and", "others")
	case len(f.IDs) == 1:
		return "for the tour " + named
	}
	return "for the tours " + named
}

func namesOf(ids []string, names map[string]string) []string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = shortName(nameOf(names, id))
	}
	return texts
}

// few names the ids, or the first of them when they are many.
func few(ids []string, names map[string]string) []string {
	if len(ids) > namedInFull {
		ids = ids[:namedFirst]
	}
	return namesOf(ids, names)
}

// nameFew joins the texts, or the first of them and how many others there are.
func nameFew(texts []string, word, others string) string {
	if len(texts) <= namedInFull {
		return list(texts, word)
	}
	rest := number(len(texts)-namedFirst) + " " + others
	if word == "or" {
		rest = "one of " + rest
	}
	return strings.Join(texts[:namedFirst], ", ") + " " + word + " " + rest
}

// list joins as one speaks: "a", "a or b", "a, b or c".
func list(texts []string, word string) string {
	if len(texts) < 2 {
		return strings.Join(texts, "")
	}
	last := len(texts) - 1
	return strings.Join(texts[:last], ", ") + " " + word + " " + texts[last]
}

func shortName(name string) string {
	if utf8.RuneCountInString(name) <= longestName {
		return name
	}
	return strings.TrimSpace(string([]rune(name)[:longestName-1])) + "…"
}

// told is what a webhook is told of, for a row of the list: "3 events · 2
// channels · all tours but 1".
func told(w *webhook.Webhook) string {
	events, channels, tours := "All events", "all channels", "all tours"
	if !w.AllEvents() {
		events = count(len(w.Events), false, "event", "events")
	}
	if w.Channels.Mode == webhook.Include {
		channels = count(len(w.Channels.IDs), false, "channel", "channels")
	}
	switch w.Tours.Mode {
	case webhook.Include:
		tours = count(len(w.Tours.IDs), false, "tour", "tours")
	case webhook.Exclude:
		tours = "all tours but " + number(len(w.Tours.IDs))
	}
	return events + " · " + channels + " · " + tours
}
