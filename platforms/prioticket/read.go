package prioticket

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"bookhook/platforms"
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
func Read(in platforms.Inbound) (platforms.Reading, error) {
	if basic := in.Settings[keyBasic]; basic != "" && !authorized(in.Authorization, basic) {
		return platforms.Reading{}, platforms.BadSignature("prioticket.basic")
	}
	body, err := in.JSON()
	if err != nil {
		return platforms.Reading{}, err
	}
	n, err := notification(body)
	if err != nil {
		return platforms.Reading{}, err
	}
	key := n.Text(keyEvent)
	if !known(key) {
		return platforms.Reading{}, platforms.UnknownEvent("prioticket.event", webhook.Quote(key, 100))
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
	case "order", "voucher", "redemption":
		e.BookingID = item
	}
	return platforms.Reading{Event: e, Identity: identity(n.Ref(keyID), key)}, platforms.CheckRefs(e)
}

// identity is "" for a notification without an id that can be kept.
func identity(id, key string) string {
	if id == "" || !webhook.CheckRef(id).IsZero() {
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
func notification(body platforms.Object) (platforms.Object, error) {
	data, err := body.Object("data")
	if err != nil {
		return nil, err
	}
	for _, around := range []platforms.Object{data, body} {
		n, err := around.Object(keyNotified)
		if err != nil {
			return nil, err
		}
		for _, candidate := range []platforms.Object{n, around} {
			if candidate.Text(keyEvent) != "" {
				return candidate, nil
			}
		}
	}
	return nil, platforms.BadRequest("prioticket.no_event")
}

// family is the noun of an event's family, which is also the key of what changed
// beside the notification.
func family(key string) string {
	noun, _, _ := strings.Cut(key, "_")
	return strings.ToLower(noun)
}
