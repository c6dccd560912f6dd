package prioticket

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"time"

	"bookhook/webhook"
)

// version is that of the API whose notifications these are.
const version = "3.8.0"

// created is RFC 3339 with the offset in digits: Prioticket's API takes no Z.
const created = "2006-01-02T15:04:05.999999999-07:00"

// envelope is a notification with what is around it, in the order of its keys.
type envelope struct {
	Version string `json:"api_version"`
	Data    struct {
		Notification notice `json:"notification"`
	} `json:"data"`
}

type notice struct {
	ID      string `json:"notification_id"`
	Event   string `json:"notification_event"`
	Item    string `json:"notification_item_id,omitempty"`
	Created string `json:"notification_created"`
}

// Native writes an event as Prioticket itself would call the URL; for a bare
// webhook without what changed. What Prioticket sent leaves as it came, unless
// the webhook is bare.
func Native(w *webhook.Webhook, _ webhook.Account, e webhook.Event) webhook.Request {
	switch {
	case e.Inbound && w.Bare:
		return webhook.JSONRequest(w.URL, bared(e.Data))
	case e.Inbound:
		return webhook.JSONRequest(w.URL, e.Data)
	}
	body := wrapped(notice{webhook.UUIDOf(e.Ref()), e.Type, itemOf(e), e.At().UTC().Format(created)})
	if !w.Bare && len(e.Data) > 0 {
		body = slices.Concat(bytes.TrimSuffix(body, []byte("}}")), []byte(`,"`+family(e.Type)+`":`), e.Data, []byte("}}"))
	}
	return webhook.JSONRequest(w.URL, body)
}

func wrapped(n notice) []byte {
	body := envelope{Version: version}
	body.Data.Notification = n
	return webhook.EncodeJSON(body)
}

// itemOf is what the notification is about: the product, the payment if the data
// name it, else the order.
func itemOf(e webhook.Event) string {
	switch family(e.Type) {
	case "product":
		if len(e.TourIDs) > 0 {
			return e.TourIDs[0]
		}
		return ""
	case "payment":
		payment, err := webhook.ParseObject(e.Data)
		if id := payment.Ref("payment_id"); err == nil && id != "" {
			return id
		}
	}
	return e.BookingID
}

// bared leaves out what stands beside the notification, which stays as it came,
// and so does the version. A notification with nothing around it keeps what bears
// its name.
func bared(sent []byte) []byte {
	body, err := webhook.ParseObject(sent)
	inner, inerr := body.Object("data")
	if err != nil || inerr != nil { // never, for what was read
		return sent
	}
	out := webhook.Object{}
	if n := onlyNotification(inner); len(n) > 0 {
		out["data"] = assemble(n)
	} else {
		out = onlyNotification(body)
	}
	if version := body["api_version"]; version != nil {
		out["api_version"] = version
	}
	return assemble(out)
}

// onlyNotification keeps the notification, or the fields of one that has no
// object of its own.
func onlyNotification(around webhook.Object) webhook.Object {
	out := webhook.Object{}
	if n, _ := around.Object(keyNotified); n.Text(keyEvent) != "" {
		out[keyNotified] = around[keyNotified]
	} else if around.Text(keyEvent) != "" {
		for key, value := range around {
			if strings.HasPrefix(key, "notification_") {
				out[key] = value
			}
		}
	}
	return out
}

// assemble writes an object, its keys sorted and its values byte for byte.
func assemble(o webhook.Object) []byte {
	out := []byte("{")
	for i, key := range slices.Sorted(maps.Keys(o)) {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, webhook.EncodeJSON(key)...), ':'), o[key]...)
	}
	return append(out, '}')
}

// Sample is an event as Prioticket could send it at now: the documented fields of
// a notification, wrapped as we read it. Beside it stands nothing, for what
// Prioticket puts there is not documented.
func Sample(eventType, id string, now time.Time) webhook.Event {
	now = now.Truncate(time.Second)
	body := wrapped(notice{webhook.UUIDOf(eventType + id + now.String()), eventType, id, now.UTC().Format(created)})
	e := webhook.Event{Type: eventType, BookingID: id, OccurredAt: now, Data: body}
	if read, err := Read(webhook.Inbound{Body: body}); err == nil {
		e = read.Event
	}
	e.Platform, e.Inbound = "prioticket", true
	return e
}
