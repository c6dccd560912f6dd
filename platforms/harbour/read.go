package harbour

import (
	"crypto/subtle"

	"bookhook/platforms"
	"bookhook/webhook"
)

// Read reads a notification.
func Read(in platforms.Inbound) (platforms.Reading, error) {
	if key := in.Settings[keyKey]; key != "" && subtle.ConstantTimeCompare([]byte(in.Authorization), []byte("Harbour "+key)) == 0 {
		return platforms.Reading{}, platforms.BadSignature("harbour.key")
	}
	n, err := in.JSON()
	if err != nil {
		return platforms.Reading{}, err
	}
	kind := n.Text("event")
	if !known(kind) {
		return platforms.Reading{}, platforms.UnknownEvent("harbour.event", webhook.Quote(kind, 100))
	}
	booking, err := n.Object("booking")
	if err != nil {
		return platforms.Reading{}, err
	}
	seller, err := booking.Object("seller")
	if err != nil {
		return platforms.Reading{}, err
	}
	boats, err := booking.Objects("boats")
	if err != nil {
		return platforms.Reading{}, err
	}
	e := webhook.Event{
		Type: kind, ChannelID: seller.Ref("id"), BookingID: booking.Ref("ref"), OccurredAt: n.Time("at"), Data: in.Body,
	}
	for _, boat := range boats {
		if id := boat.Ref("id"); id != "" {
			e.TourIDs = append(e.TourIDs, id)
		}
	}
	return platforms.Reading{Event: e, Identity: n.Ref("id")}, nil
}
