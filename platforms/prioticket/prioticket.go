// Package prioticket supports the wire format of Prioticket: JSON notifications of
// its Distributor API, version 3.8.
//
// What Prioticket publishes (https://docs.prioticket.com/endpoints/notifications
// and the OpenAPI file of version 3.5) about a notification is little: it is an
// asynchronous callback; an optional value is sent verbatim after
// "Authorization: Basic "; a switch says whether what changed is sent along; and
// a notification has the fields notification_id, notification_event,
// notification_item_id and notification_created among others. Of the events only
// ORDER_CREATE is a documented name; the catalogue says so at each other one.
//
// The rest is our reading, after the habits of the rest of that API:
//
//   - it is a POST, wrapped as {"api_version":…,"data":{"notification":{…}}};
//     "notification" at the top and a notification without any wrapping are read
//     too;
//   - what changed is in "data" beside "notification", under the noun of the event's
//     family: order, product, payment, voucher, redemption;
//   - the item is the order's reference for orders, and by exclusion (items are
//     products, payments and orders) for vouchers and redemptions, which makes it
//     the booking; it is the product's id for products, which makes it the tour;
//     for payments it is the payment's id, and the booking is the notification's
//     order_reference, if it has one.
//
// A redelivery is recognised by its notification_id and its event.
package prioticket

import (
	_ "embed"
	"net/http"
	"strings"
	"unicode"

	"bookhook/platforms"
	"bookhook/webhook"
)

//go:embed catalogue.json
var catalogue []byte

// Events returns the catalogue.
func Events() []platforms.EventType { return platforms.ReadCatalogue(catalogue) }

// known reports whether the catalogue has a key.
var known = platforms.CatalogueKeys(catalogue)

// Platform is Prioticket.
func Platform() platforms.Platform {
	return platforms.Platform{
		Key: "prioticket", Name: "Prioticket", About: about, Events: Events(), Methods: []string{http.MethodPost}, Settings: settings(), Texts: texts,
		Read: Read, Native: Native, OmitsPayload: true, Booking: Booking, Sample: Sample,
	}
}

// about is for operators: what to do, then what is good to know.
const about = "Give this address to Prioticket as the webhook_url of a webhook with the events you want, through its API or by asking its support. " +
	"If you also give it a webhook_auth, enter the same value below, and Bookhook refuses whatever comes without it.\n" +
	"Prioticket documents only the event ORDER_CREATE and not how a notification is wrapped: the other event names and the way Bookhook reads the body are our reading. " +
	"Whatever cannot be read is kept for 7 days among the rejected requests."

// keyBasic is the setting with the value that the operator gave Prioticket.
const keyBasic = "basic"

// settings are what Bookhook needs to know.
func settings() []platforms.Setting {
	return []platforms.Setting{{
		Key: keyBasic, Label: "Basic authentication", Secret: true, Check: checkBasic,
		Hint: "The value that you gave Prioticket as webhook_auth. Prioticket sends it verbatim after “Basic ”; " +
			"if yours is written as user:password, its base64 form is taken too. Leave it empty if you gave none.",
	}}
}

// checkBasic says what is wrong with a value that no Authorization header can
// have.
func checkBasic(value string) webhook.Message {
	switch {
	case strings.ContainsFunc(value, func(r rune) bool { return unicode.IsControl(r) || r > unicode.MaxASCII }):
		return webhook.NewMessage("prioticket.basic_not_ascii")
	case strings.TrimSpace(value) != value:
		return webhook.NewMessage("prioticket.basic_outer_space")
	case strings.HasPrefix(strings.ToLower(value), "basic "):
		return webhook.NewMessage("prioticket.basic_word")
	}
	return webhook.Message{}
}
