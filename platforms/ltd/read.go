package ltd

import (
	"bytes"
	"fmt"

	"bookhook/webhook"
)

// Read reads a message.
func Read(in webhook.Inbound) (webhook.Reading, error) {
	body, err := in.JSON()
	if err != nil {
		return webhook.Reading{}, err
	}
	kind := body.Text("MessageType")
	switch {
	case kind == "":
		return webhook.Reading{}, webhook.BadRequest("There is no MessageType in the body. Check that the request is a webhook of London Theatre Direct.")
	case kind != eticket && kind != changed:
		return webhook.Reading{}, webhook.UnknownEvent(fmt.Sprintf("The MessageType is %.100q. Bookhook knows %s and %s, "+
			"the two that London Theatre Direct documents; report a new one to the makers of Bookhook.", kind, eticket, changed))
	}
	payload, err := body.Object("Payload")
	if err != nil {
		return webhook.Reading{}, err
	}
	if payload == nil {
		return webhook.Reading{}, webhook.BadRequest("There is no Payload in the body, or it is not an object. Check that nothing between London Theatre Direct and Bookhook changes the body.")
	}
	e := webhook.Event{
		Type: kind, ChannelID: affiliate(payload), BookingID: payload.Ref("BookingReference"),
		OccurredAt: body.Time("Timestamp"), Data: bytes.Clone(in.Body),
	}
	orders, err := payload.Objects("Orders")
	if err != nil {
		return webhook.Reading{}, err
	}
	seen := map[string]bool{"": true}
	for _, order := range orders {
		if id := order.Ref("EventId"); !seen[id] {
			seen[id] = true
			e.TourIDs = append(e.TourIDs, id)
		}
	}
	return webhook.Reading{Event: e}, e.CheckRefs()
}

// noGUID is how LTD writes that there is none.
const noGUID = "00000000-0000-0000-0000-000000000000"

func affiliate(payload webhook.Object) string {
	if id := payload.Ref("AffiliateId"); id != noGUID {
		return id
	}
	return ""
}
