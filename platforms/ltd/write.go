package ltd

import (
	_ "embed"
	"slices"
	"strings"
	"time"

	"bookhook/platforms"
	"bookhook/webhook"
)

// timestamp is what .NET writes: UTC with exactly seven fractional digits.
const timestamp = "2006-01-02T15:04:05.0000000Z"

// Native writes an event as London Theatre Direct itself would call the URL. What
// it sent is passed on unchanged; the data of an event from the API get its
// envelope.
func Native(w *webhook.Webhook, _ webhook.Account, e webhook.Event) platforms.Request {
	if e.Inbound {
		return platforms.JSONRequest(w.URL, e.Data)
	}
	payload := e.Data
	if len(payload) == 0 {
		payload = []byte(`{"BookingReference":` + quote(e.BookingID) + `}`)
	}
	return platforms.JSONRequest(w.URL, slices.Concat(
		[]byte(`{"MessageType":`+quote(e.Type)+`,"Payload":`), payload,
		[]byte(`,"Timestamp":"`+e.At().UTC().Format(timestamp)+`"}`)))
}

func quote(text string) string { return string(platforms.EncodeJSON(text)) }

//go:embed samples/ScheduledEticketDelivery.json
var eticketSample string

//go:embed samples/TransactionChanged.json
var changedSample string

// Sample is an event as London Theatre Direct could send it at now: its documented
// fields, with the oddities of its own examples.
func Sample(eventType, id string, now time.Time) webhook.Event {
	text := changedSample
	if eventType == eticket {
		text = eticketSample
	}
	body := []byte(strings.NewReplacer(
		`"BOOKING"`, quote(id), "TIMESTAMP", now.UTC().Format(timestamp),
	).Replace(strings.TrimSpace(text)))
	e := webhook.Event{Type: eventType, BookingID: id, OccurredAt: now, Data: body}
	if read, err := Read(platforms.Inbound{Body: body}); err == nil {
		e = read.Event
	}
	e.Platform, e.Type, e.Inbound = "ltd", eventType, true
	return e
}
