package harbour

import (
	"crypto/subtle"
	"fmt"

	"bookhook/webhook"
)

// Read reads a notification.
func Read(in webhook.Inbound) (webhook.Reading, error) {
	if key := in.Settings[keyKey]; key != "" && subtle.ConstantTimeCompare([]byte(in.Authorization), []byte("Harbour "+key)) == 0 {
		return webhook.Reading{}, webhook.BadSignature("The request does not carry the key that is set for Harbour. Enter the one that Harbour shows under Notifications.")
	}
	n, err := in.JSON()
	if err != nil {
		return webhook.Reading{}, err
	}
	kind := n.Text("event")
	if !known(kind) {
		return webhook.Reading{}, webhook.UnknownEvent(fmt.Sprintf("Harbour is not known to have an event %.100q.", kind))
	}
	booking, err := n.Object("booking")
	if err != nil {
		return webhook.Reading{}, err
	}
	seller, err := booking.Object("seller")
	if err != nil {
		return webhook.Reading{}, err
	}
	boats, err := booking.Objects("boats")
	e := webhook.Event{
		Type: kind, ChannelID: seller.Ref("id"), BookingID: booking.Ref("ref"), OccurredAt: n.Time("at"), Data: in.Body,
	}
	for _, boat := range boats {
		if id := boat.Ref("id"); id != "" {
			e.TourIDs = append(e.TourIDs, id)
		}
	}
	return webhook.Reading{Event: e, Identity: n.Ref("id")}, err
}
