// Package prioticket supports the wire format of Prioticket: JSON notifications of
// its Distributor API, versions 3.5 to 3.8.
//
// Prioticket publishes (https://docs.prioticket.com/endpoints/notifications and
// .../models, and clients generated from the OpenAPI file of version 3.5) that a
// notification is an asynchronous callback; that an optional value is sent verbatim
// after "Authorization: Basic "; that a switch says whether what changed is sent
// along; that a notification has notification_id, notification_status,
// notification_event and notification_item_id, and may have
// notification_account_id, notification_note and notification_created; and that an
// item is a product, an availability, a payment, an order or a contact. It publishes
// the keys of all events but of amended payments: PAYMENT_UPDATE is our assumption,
// and the catalogue says so.
//
// The rest is our reading, after the habits of the rest of that API:
//
//   - it is a POST, wrapped as {"api_version":…,"data":{"notification":{…}}};
//     "notification" at the top and a notification without any wrapping are read
//     too;
//   - what changed is in "data" beside "notification", under the noun of the event's
//     family: order, product, payment, voucher, redemption, credit, category,
//     location, availability;
//   - the item is the order's reference for orders, and by exclusion (items are
//     products, payments and orders) for vouchers and redemptions, which makes it
//     the booking; it is the product's id for products, which makes it the tour;
//     for payments it is the payment's id, and the booking is the notification's
//     order_reference, if it has one;
//   - the item of availability, categories, locations and credit is an id of their
//     own, so that these events have neither booking nor tour;
//   - the status of a notification is DELIVERY_PENDING in the request that delivers
//     it, since nobody knows yet how that ends.
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
		Key: "prioticket", Name: "Prioticket", Connect: connect, About: about, Events: Events(), Methods: []string{http.MethodPost}, Settings: settings(), Texts: texts,
		Read: Read, Native: Native, OmitsPayload: true, Booking: Booking, Sample: Sample,
	}
}

// about is for operators: what to do, then what is good to know.
var connect = []string{
	"Give this address to Prioticket as the webhook_url of a webhook with the events you want, through its API or by asking its support.",
	"If you also give it a webhook_auth, enter the same value below, and Bookhook refuses whatever comes without it.",
}

var about = []string{
	"Prioticket documents the fields of a notification, but not how it is wrapped, nor the key of the event that a payment was amended: those are our reading.",
	"Whatever cannot be read is kept for 7 days among the rejected requests.",
}

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
