package prioticket

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"bookhook/webhook"
)

// The keys of a notification.
const (
	keyID       = "notification_id"
	keyEvent    = "notification_event"
	keyItem     = "notification_item_id"
	keyCreated  = "notification_created"
	keyOrder    = "order_reference"
	keyNotified = "notification"
)

// Read reads a notification.
func Read(in webhook.Inbound) (webhook.Reading, error) {
	if basic := in.Settings[keyBasic]; basic != "" && !authorized(in.Authorization, basic) {
		return webhook.Reading{}, webhook.BadSignature("The request does not carry the Basic value that is set for Prioticket. " +
			"Enter the same value in the settings here and as webhook_auth at Prioticket, or empty it here.")
	}
	body, err := in.JSON()
	if err != nil {
		return webhook.Reading{}, err
	}
	n, err := notification(body)
	if err != nil {
		return webhook.Reading{}, err
	}
	key := n.Text(keyEvent)
	if !known(key) {
		return webhook.Reading{}, webhook.UnknownEvent(fmt.Sprintf("The notification_event is %.100q, which is not in the catalogue of Prioticket's events. "+
			"Prioticket documents only ORDER_CREATE; if this is the true name of an event, report it to the makers of Bookhook.", key))
	}
	e := webhook.Event{Type: key, OccurredAt: n.Time(keyCreated), Data: bytes.Clone(in.Body)}
	item := n.Ref(keyItem)
	switch family(key) {
	case "product":
		if item != "" {
			e.TourIDs = []string{item}
		}
	case "payment":
		e.BookingID = n.Ref(keyOrder)
	default:
		e.BookingID = item
	}
	return webhook.Reading{Event: e, Identity: identity(n.Ref(keyID), key)}, e.CheckRefs()
}

// identity is "" for a notification without an id that can be kept.
func identity(id, key string) string {
	if id == "" || webhook.CheckRef(id) != "" {
		return ""
	}
	return id + " " + key
}

// authorized compares in constant time.
func authorized(header, basic string) bool {
	scheme, value, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return false
	}
	got, want := sha256.Sum256([]byte(strings.TrimSpace(value))), sha256.Sum256([]byte(basic))
	verbatim := subtle.ConstantTimeCompare(got[:], want[:])
	encoded := 0
	if strings.Contains(basic, ":") {
		want = sha256.Sum256([]byte(base64.StdEncoding.EncodeToString([]byte(basic))))
		encoded = subtle.ConstantTimeCompare(got[:], want[:])
	}
	return verbatim|encoded == 1
}

// notification finds the notification in a body: wrapped as the rest of the API
// is, or with less around it.
func notification(body webhook.Object) (webhook.Object, error) {
	data, err := body.Object("data")
	if err != nil {
		return nil, err
	}
	for _, around := range []webhook.Object{data, body} {
		n, err := around.Object(keyNotified)
		if err != nil {
			return nil, err
		}
		for _, candidate := range []webhook.Object{n, around} {
			if candidate.Text(keyEvent) != "" {
				return candidate, nil
			}
		}
	}
	return nil, webhook.BadRequest("There is no notification_event in the body. Bookhook looks for it in data.notification, in data, in notification and at the top. " +
		"Check that the request is a notification of Prioticket.")
}

// family is the noun of an event's family, under which what changed stands
// beside the notification.
func family(key string) string {
	noun, _, _ := strings.Cut(key, "_")
	return strings.ToLower(noun)
}
