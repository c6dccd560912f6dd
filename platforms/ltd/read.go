package ltd

import (
	"bytes"

	"bookhook/platforms"
	"bookhook/webhook"
)

// Read reads a message.
func Read(in platforms.Inbound) (platforms.Reading, error) {
	body, err := in.JSON()
	if err != nil {
		return platforms.Reading{}, err
	}
	kind := body.Text("MessageType")
	switch {
	case kind == "":
		return platforms.Reading{}, platforms.BadRequest("ltd.no_type")
	case kind != eticket && kind != changed:
		return platforms.Reading{}, platforms.UnknownEvent("ltd.event", webhook.Quote(kind, 100), eticket, changed)
	}
	payload, err := body.Object("Payload")
	if err != nil {
		return platforms.Reading{}, err
	}
	if payload == nil {
		return platforms.Reading{}, platforms.BadRequest("ltd.no_payload")
	}
	e := webhook.Event{
		Type: kind, ChannelID: affiliate(payload), BookingID: payload.Ref("BookingReference"),
		OccurredAt: body.Time("Timestamp"), Data: bytes.Clone(in.Body),
	}
	orders, err := payload.Objects("Orders")
	if err != nil {
		return platforms.Reading{}, err
	}
	seen := map[string]bool{"": true}
	for _, order := range orders {
		if id := order.Ref("EventId"); !seen[id] {
			seen[id] = true
			e.TourIDs = append(e.TourIDs, id)
		}
	}
	return platforms.Reading{Event: e}, platforms.CheckRefs(e)
}

// noGUID is how LTD writes that there is none.
const noGUID = "00000000-0000-0000-0000-000000000000"

func affiliate(payload platforms.Object) string {
	if id := payload.Ref("AffiliateId"); id != noGUID {
		return id
	}
	return ""
}
