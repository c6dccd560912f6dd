package prioticket

import (
	"bytes"
	"crypto/sha256"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"bookhook/platforms"
	"bookhook/webhook"
)

// version is the version of Prioticket's API.
const version = "3.8.0"

// timeLayout is how Prioticket writes times: RFC 3339 with milliseconds, and with
// the offset in digits, since its API takes no Z.
const timeLayout = "2006-01-02T15:04:05.000-07:00"

// pending is the status of a notification that is being delivered.
const pending = "DELIVERY_PENDING"

// envelope is a notification with what is around it, in the order of its keys.
type envelope struct {
	Version string `json:"api_version"`
	Data    struct {
		Notification notice `json:"notification"`
	} `json:"data"`
}

// notice is a notification; the item is "" if the event does not say it.
type notice struct {
	ID      string `json:"notification_id"`
	Status  string `json:"notification_status"`
	Event   string `json:"notification_event"`
	Item    string `json:"notification_item_id"`
	Created string `json:"notification_created"`
}

// Native writes an event as Prioticket itself would call the URL. What Prioticket
// sent is passed on unchanged, unless the webhook omits the payload: then it is
// written without the data beside the notification.
func Native(w *webhook.Webhook, _ webhook.Account, e webhook.Event) platforms.Request {
	switch {
	case e.Inbound && w.OmitPayload:
		return platforms.JSONRequest(w.URL, withoutPayload(e.Data))
	case e.Inbound:
		return platforms.JSONRequest(w.URL, e.Data)
	}
	body := wrapped(notice{uuidOf(e.ID.String()), pending, e.Type, itemOf(e), e.At().UTC().Format(timeLayout)})
	if !w.OmitPayload && len(e.Data) > 0 {
		body = slices.Concat(bytes.TrimSuffix(body, []byte("}}")), []byte(`,"`+family(e.Type)+`":`), e.Data, []byte("}}"))
	}
	return platforms.JSONRequest(w.URL, body)
}

func wrapped(n notice) []byte {
	body := envelope{Version: version}
	body.Data.Notification = n
	return platforms.EncodeJSON(body)
}

// uuidOf is the UUID of a text, of version 8 (RFC 9562, section 5.8): the same
// text has the same.
func uuidOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	id := uuid.UUID(sum[:16])
	id[6], id[8] = id[6]&0x0f|8<<4, id[8]&0x3f|0x80
	return id.String()
}

// itemOf is what the notification is about: the product, the payment if the data
// name it, else the order; and of what is no booking the id that the data name, such
// as availability_id.
func itemOf(e webhook.Event) string {
	noun := family(e.Type)
	switch noun {
	case "order", "voucher", "redemption":
		return e.BookingID
	case "product":
		if len(e.TourIDs) > 0 {
			return e.TourIDs[0]
		}
		return ""
	}
	data, err := platforms.ParseObject(e.Data)
	if id := data.Ref(noun + "_id"); err == nil && id != "" {
		return id
	}
	return e.BookingID
}

// withoutPayload removes the data beside the notification, and leaves notification
// and version unchanged. Of a notification without an envelope it keeps the fields
// that begin with its name.
func withoutPayload(sent []byte) []byte {
	body, err := platforms.ParseObject(sent)
	inner, inerr := body.Object("data")
	if err != nil || inerr != nil { // never, for what was read
		return sent
	}
	out := platforms.Object{}
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
func onlyNotification(around platforms.Object) platforms.Object {
	out := platforms.Object{}
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
func assemble(o platforms.Object) []byte {
	out := []byte("{")
	for i, key := range slices.Sorted(maps.Keys(o)) {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, platforms.EncodeJSON(key)...), ':'), o[key]...)
	}
	return append(out, '}')
}

// Sample is an event as Prioticket could send it at now: the documented fields of
// a notification, wrapped as we read it. There is nothing beside it, for what
// Prioticket puts there is not documented.
func Sample(eventType, id string, now time.Time) webhook.Event {
	now = now.Truncate(time.Second)
	body := wrapped(notice{uuidOf(eventType + id + now.String()), pending, eventType, id, now.UTC().Format(timeLayout)})
	e := webhook.Event{Type: eventType, BookingID: id, OccurredAt: now, Data: body}
	if read, err := Read(platforms.Inbound{Body: body}); err == nil {
		e = read.Event
	}
	e.Platform, e.Inbound = "prioticket", true
	return e
}
