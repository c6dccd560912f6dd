// Package ltd supports the wire format of London Theatre Direct (LTD): an envelope
// with MessageType, Payload and Timestamp.
//
// What LTD publishes (https://developer.londontheatredirect.com/documentation/webhooks/types)
// are the two types and the fields of their payloads. Traps in them:
//
//   - Timestamp is UTC with seven fractional digits; the times in the payload have
//     no offset, so they are passed on unchanged and never converted;
//   - barcodes have leading zeros, and a seat (TicketName2) is a number in one place
//     and a text in another: the bytes are kept, and numbers stay digit for digit;
//   - TotalAmount is a number without a currency;
//   - there is no id of the message: the same bytes, the Timestamp among them, are
//     the same message.
//
// Method, headers, authentication and retries are not documented; that it is a
// POST follows from there being a body. Our reading is that the affiliate
// (AffiliateId) is where the booking was sold, so it is the channel, and that
// the shows (EventId) are the tours. ScheduledEticketDelivery names shows without
// their ids, so it has no tours; that tickets with barcodes are available is read as
// the release of a voucher.
package ltd

import (
	_ "embed"
	"net/http"

	"bookhook/platforms"
)

//go:embed catalogue.json
var catalogue []byte

// Events returns the catalogue.
func Events() []platforms.EventType { return platforms.ReadCatalogue(catalogue) }

// The two events.
const (
	eticket = "ScheduledEticketDelivery"
	changed = "TransactionChanged"
)

// Platform is London Theatre Direct.
func Platform() platforms.Platform {
	return platforms.Platform{
		Key: "ltd", Name: "London Theatre Direct", Connect: connect, About: about, Events: Events(), Methods: []string{http.MethodPost}, Texts: texts,
		Read: Read, Native: Native, Booking: Booking, Sample: Sample,
	}
}

// about is for operators: what to do, then what is good to know.
var connect = []string{
	"Ask London Theatre Direct to send your webhooks to this address; how an address is registered there is not publicly documented.",
}

var about = []string{
	"Bookhook reads the affiliate as the channel and the shows as the tours, which is our reading; messages about scheduled e-tickets name shows without ids, so filters by tour see no tour in them.",
	"How London Theatre Direct signs its webhooks is not public, so keep this address secret: whoever knows it can send to it.",
}
