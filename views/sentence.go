package views

import (
	"cmp"
	"slices"
	"strings"

	"bookhook/platforms"
	"bookhook/webhook"
)

// How much of a list Sentence names before it counts the rest.
const (
	namedInFull = 5  // lists of up to this length are named in full
	namedFirst  = 3  // of longer ones this many are named
	longestName = 60 // characters of a name
)

// sentenceParts says in one sentence that a person can check what the webhook
// receives and where: "When a booking is cancelled on any channel, for any tour,
// call https://example.com/bookings." Long lists and names are shortened. Every
// second part is what was chosen, and is set in bold on the page.
func sentenceParts(c webhook.Config, names Names) []string {
	if c.Kind == webhook.Inline {
		return inlineSentence(c, names)
	}
	if c.OnlyOwn() {
		quoted := names.eventNames(c.Events)
		for i := range quoted {
			quoted[i] = "“" + quoted[i] + "”"
		}
		return []string{"When Bookhook notices ", nameFew(quoted, "or", "other things"), ", call ", c.URL, "."}
	}
	events, several := "anything happens to a booking", false
	if !c.AllEvents {
		events, several = eventsText(c.Events, names, whenPhrase)
	}
	return []string{
		"When ", events, commaAfter(several), channelsText(c.Channels, names.Channels), ", ",
		toursText(c.Tours, names.Tours), ", call ", c.URL, ".",
	}
}

// inlineSentence is sentenceParts for a synchronous webhook.
func inlineSentence(c webhook.Config, names Names) []string {
	lead, events, several := inlineEventsText(c.Events, names)
	return []string{
		lead, events, commaAfter(several), channelsText(c.Channels, names.Channels), ", ", toursText(c.Tours, names.Tours),
		", ask ", c.URL, "; no 200 within ", seconds(c.TimeLimit), " is a refusal.",
	}
}

// inlineEventsText is eventsText for a synchronous webhook. It is asked before
// most events happen, and called when the others have happened.
func inlineEventsText(events []string, names Names) (lead, text string, several bool) {
	var before, when []string
	for _, key := range events {
		if _, e, _ := names.event(key); e.Before == "" && e.When != "" {
			when = append(when, key)
		} else {
			before = append(before, key)
		}
	}
	if len(before) == 0 && len(when) > 0 {
		text, several = eventsText(when, names, whenPhrase)
		return "When ", text, several
	}
	text, several = eventsText(before, names, beforePhrase)
	if len(when) > 0 {
		phrases, _ := phrasesOf(when, names, whenPhrase)
		return "Before ", text + ", and when one " + list(phrases, "or"), true
	}
	return "Before ", text, several
}

func commaAfter(several bool) string {
	if several {
		return ", "
	}
	return " "
}

func whenPhrase(e platforms.EventType) string { return e.When }

func beforePhrase(e platforms.EventType) string { return e.Before }

// eventsText says what happens with one of the events, and whether it names
// several things. Events without a phrase are quoted by name.
func eventsText(events []string, names Names, phrase func(platforms.EventType) string) (text string, several bool) {
	booking, others := phrasesOf(events, names, phrase)
	for i, key := range others {
		others[i] = quotedEvent(key, names)
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

// quotedEvent is the name of an event, with its platform unless that is the
// usual one.
func quotedEvent(key string, names Names) string {
	c, e, ok := names.event(key)
	switch {
	case !ok:
		return "“" + truncate(key) + "”"
	case c.Platform == webhook.DefaultPlatform:
		return "“" + truncate(e.Name) + "”"
	}
	return "“" + truncate(e.Name) + "” (" + c.Name + ")"
}

// phrasesOf returns the phrases of the events in the order of the catalogues, and
// the keys of those without one.
func phrasesOf(keys []string, names Names, phrase func(platforms.EventType) string) (phrases, rest []string) {
	rest = slices.Clone(keys)
	for _, c := range names.Catalogues {
		texts, said := c.phrasesOf(keys, phrase)
		phrases = append(phrases, texts...)
		rest = slices.DeleteFunc(rest, func(key string) bool { return slices.Contains(said, key) })
	}
	return phrases, rest
}

// phrasesOf returns the phrases of those events that are of this catalogue, and
// their keys. A phrase that several events share is said once, with the chosen
// variants unless these are all.
func (c Catalogue) phrasesOf(keys []string, phrase func(platforms.EventType) string) (phrases, said []string) {
	all := map[string]int{} // events with this phrase
	variants := map[string][]string{}
	for _, e := range inlineOnlyFirst(c.Events) {
		text, key := phrase(e), webhook.EventKey(c.Platform, e.Key)
		all[text]++
		if text == "" || !slices.Contains(keys, key) {
			continue
		}
		if variants[text] == nil {
			phrases = append(phrases, text)
		}
		variants[text] = append(variants[text], e.Variant)
		said = append(said, key)
	}
	for i, text := range phrases {
		if len(variants[text]) < all[text] {
			phrases[i] += " (" + strings.Join(variants[text], ", ") + ")"
		}
	}
	return phrases, said
}

// inlineOnlyFirst puts the events of synchronous webhooks first, which come
// before the others in the life of a booking.
func inlineOnlyFirst(events []platforms.EventType) []platforms.EventType {
	sorted := slices.Clone(events)
	slices.SortStableFunc(sorted, func(a, b platforms.EventType) int { return cmp.Compare(rank(a), rank(b)) })
	return sorted
}

func rank(e platforms.EventType) int {
	if e.InlineOnly {
		return 0
	}
	return 1
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
		texts[i] = truncate(nameOf(names, id))
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

// list joins texts as in speech: "a", "a or b", "a, b or c".
func list(texts []string, word string) string {
	if len(texts) < 2 {
		return strings.Join(texts, "")
	}
	last := len(texts) - 1
	return strings.Join(texts[:last], ", ") + " " + word + " " + texts[last]
}

// truncate shortens a name that a sentence or a row repeats.
func truncate(name string) string { return webhook.Truncate(name, longestName) }

// filterSummary is what a webhook receives, for a row of the list: "3 events · 2
// channels · all tours except Night Walk".
func filterSummary(c webhook.Config, names Names) string {
	if c.OnlyOwn() {
		return count(len(c.Events), false, "notice", "notices") + " of Bookhook’s own"
	}
	events, channels, tours := "All events", "all channels", "all tours"
	if !c.AllEvents {
		events = count(len(c.Events), false, "event", "events")
	}
	if c.Channels.Mode == webhook.Include {
		channels = count(len(c.Channels.IDs), false, "channel", "channels")
	}
	switch c.Tours.Mode {
	case webhook.Include:
		tours = count(len(c.Tours.IDs), false, "tour", "tours")
	case webhook.Exclude:
		tours = "all tours except " + exceptTours(c.Tours.IDs, names.Tours)
	}
	return events + " · " + channels + " · " + tours
}

// exceptTours names up to three tours whose names are known, and counts others.
func exceptTours(ids []string, names map[string]string) string {
	unnamed := func(id string) bool { return names[id] == "" }
	if len(ids) > namedFirst || slices.ContainsFunc(ids, unnamed) {
		return count(len(ids), false, "tour", "tours")
	}
	return list(namesOf(ids, names), "and")
}
