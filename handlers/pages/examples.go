package pages

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"bookhook/platforms"
	"bookhook/views"
	"bookhook/webhook"
)

// exampleURL is shown while a draft has no URL that can be called.
const exampleURL = "https://example.com/bookings"

// sample is an event as a draft's webhook could receive it.
type sample struct {
	account webhook.Account
	event   webhook.Event
	url     string
	omits   bool // the webhook leaves out the payload
	basic   bool // the webhook has a value for Basic authentication
	agent   string
	write   func(w *webhook.Webhook, a webhook.Account, e webhook.Event) platforms.Request
}

// sampleOf returns an event of the first type that the draft selects, about booking
// 1234, with the first channel and tour that it selects, or that the account has.
func (pg *Pages) sampleOf(ctx context.Context, props views.WizardProps) (sample, error) {
	d, now := props.Draft, props.Page.Now
	s := sample{
		account: props.Page.Account, url: exampleURL, omits: d.OmitPayload, basic: d.Basic != "", agent: "bookhook/" + pg.Version, write: pg.Platforms.Write,
	}
	if d.Kind == webhook.Inline {
		s.write = pg.inlineCall
	}
	if address, problem := webhook.CheckURL(d.URL); problem.IsZero() {
		s.url = address
	}
	s.event = pg.Platforms.SampleEvent(&webhook.Webhook{Config: d.Config}, "1234", now)
	s.event.ID, s.event.Account, s.event.ReceivedAt = webhook.FirstID[webhook.EventID](now), d.Account, now.UTC()
	if len(s.event.Data) == 0 {
		s.event.Data = []byte(`{"example":"what your booking system says about the booking"}`)
	}
	channels, err := pg.Store.AllItems(ctx, d.Account, webhook.Channels)
	if err != nil {
		return sample{}, err
	}
	tours, err := pg.Store.AllItems(ctx, d.Account, webhook.Tours)
	if err != nil {
		return sample{}, err
	}
	if channel := firstSelected(d.Channels, channels); channel != "" {
		s.event.ChannelID = channel
	}
	if tour := firstSelected(d.Tours, tours); tour != "" {
		s.event.TourIDs = []string{tour}
	}
	return s, nil
}

// nativeExamples returns a native call of each platform that is on or that the draft
// selects events of, beginning with that of the sample.
func (pg *Pages) nativeExamples(s sample, d *webhook.Draft, on platforms.Registry) []views.Example {
	examples := []views.Example{s.example(webhook.Native)}
	for _, p := range pg.Platforms {
		_, used := on.Get(p.Key)
		if p.Own || p.Key == s.event.Platform || !used && !ofPlatform(d.Events, p.Key) {
			continue
		}
		other := s
		other.event = p.Sample(firstOf(p, d.Events), "1234", s.event.ReceivedAt)
		other.event.ID, other.event.Account, other.event.ReceivedAt = s.event.ID, s.event.Account, s.event.ReceivedAt
		e := other.example(webhook.Native)
		e.Platform, e.More = p.Name, true
		examples = append(examples, e)
	}
	if len(examples) > 1 {
		examples[0].Platform = pg.platformName(s.event.Platform)
	}
	return examples
}

// firstOf returns the first event of the platform among the keys, or if there is
// none the first of its catalogue that it still sends.
func firstOf(p platforms.Platform, keys []string) string {
	for _, key := range keys {
		if of, eventType := webhook.SplitEventKey(key); of == p.Key {
			return eventType
		}
	}
	i := slices.IndexFunc(p.Events, func(e platforms.EventType) bool { return !e.Retired })
	return p.Events[max(i, 0)].Key
}

// inlineCall writes the call of an inline webhook of the example.
func (pg *Pages) inlineCall(w *webhook.Webhook, account webhook.Account, e webhook.Event) platforms.Request {
	request, err := pg.Platforms.InlineCall(w, account, e, nil)
	if err != nil { // of a platform without inline calls
		return pg.Platforms.Write(w, account, e)
	}
	request.Header.Set(fiber.HeaderXRequestID, "<a new UUID for each call>")
	return request
}

// firstSelected returns the first item that matches the filter, "" if none does.
func firstSelected(f webhook.Filter, items []webhook.Item) string {
	i := slices.IndexFunc(items, func(i webhook.Item) bool {
		_, listed := slices.BinarySearch(f.IDs, i.ID)
		return f.Mode == webhook.All || listed == (f.Mode == webhook.Include)
	})
	if i < 0 {
		return ""
	}
	return items[i].ID
}

// example returns the text of the request as it is sent. Values that differ from one
// delivery to the next are in angle brackets.
func (s sample) example(format webhook.Format) views.Example {
	wire := s.write(&webhook.Webhook{Config: webhook.Config{URL: s.url, Format: format, OmitPayload: s.omits}, Secret: "of the example"}, s.account, s.event)
	lines := []string{
		wire.Method + " " + wire.URL,
		"user-agent: " + s.agent,
		"webhook-id: <id of the delivery, the same for each attempt>",
		"webhook-timestamp: <time of the attempt, in seconds since 1970>",
		"webhook-signature: v1,<signature>",
		"bookhook-attempt: 1",
		"bookhook-sequence: <a number, larger for events accepted later>",
	}
	if s.basic {
		lines = append(lines, "authorization: "+webhook.HiddenBasic)
	}
	for _, name := range slices.Sorted(maps.Keys(wire.Header)) {
		lines = append(lines, strings.ToLower(name)+": "+strings.Join(wire.Header[name], ", "))
	}
	if len(wire.Body) > 0 {
		lines = append(lines, "content-length: "+strconv.Itoa(len(wire.Body)), "", string(wire.Body))
	}
	return views.Example{Format: format, URL: s.url, Text: strings.Join(lines, "\n")}
}
