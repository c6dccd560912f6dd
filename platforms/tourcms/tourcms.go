// Package tourcms supports the wire format of TourCMS (Palisis): its catalogue of
// twelve asynchronous and four synchronous booking events, its GET and its POST
// webhook, and the part of its API about bookings, channels and tours.
//
// # The GET webhook
//
// Facts are from the vendor's page "Booking notification webhook"
// (https://www.tourcms.com/support/api/mp/webhooks/booking_notification.php): a
// GET, five keys in this order, more may come, no signature, no id, success is
// status 200. How TourCMS itself extends a URL that has a query, how it encodes
// spaces, when it calls again and how often is not documented. Bookhook keeps a
// URL's own query first and untouched, joins with "&", encodes as in RFC 3986 (a
// space is %20), and takes the same query within a minute for a repetition. What
// TourCMS sent is passed on with its raw query byte for byte.
//
// # The POST webhook
//
// Synchronous ("inline") calls have the same query, and in the body the XML
// document of Show Booking with a signed block in its root
// (https://tourcms.com/support/api/mp/webhooks/booking_notification_inline.php).
// The algorithm is that of the official PHP wrapper
// (https://github.com/TourCMS/tourcms-php, src/TourCMS.php, validate_xml_hash
// and generate_xml_hash): the XPath expressions of hash_fields, with the root as
// the context; each node's own text; joined by "|"; HMAC with the API key. Which
// fields and which hash function TourCMS takes is not documented, nor is the
// content type. Neither event and query nor the list of fields is signed:
// [Read] therefore also wants the signature to cover booking/booking_id, and
// the query to agree with it. Paths are evaluated as PHP's SimpleXML with libxml2
// does, with a bound on what that may cost; see package xpath. A path that is no
// XPath adds nothing, there and here.
//
// Documents are read in the encoding that they declare, and are UTF-8 from then on:
// SimpleXML's texts are UTF-8 always, so that the signature stays right.
//
// # The API
//
// Headers and signature are from "Making a connection"
// (https://www.tourcms.com/support/api/mp/connection.php) and the wrappers: the
// text channel/marketplace/VERB/unixtime + path with query, HMAC-SHA256 with the
// API key, base64, percent-encoded. The page and the wrappers for .NET and Java
// send the time as an HTTP date in x-tourcms-date, the PHP wrapper as Date, the
// JavaScript wrapper as unix seconds in x-tourcms-date; Bookhook follows the page.
// Operators have marketplace 0, an API key for each channel, and may use the
// paths under /c/ only; marketplace agents have one key and those under /p/ too
// (https://support.tourcms.com/hc/en-us/articles/9430755226513). The paths are
// those of the wrappers: /c/booking/show.xml?booking_id=, /c/tours/list.xml,
// /p/tours/list.xml, /c/channel/show.xml, /p/channels/list.xml.
package tourcms

import (
	_ "embed"
	"net/http"

	"bookhook/platforms"
)

//go:embed catalogue.json
var catalogue []byte

// Events returns the catalogue, in the order of the vendor's page.
func Events() []platforms.EventType { return platforms.ReadCatalogue(catalogue) }

// known tells the keys of the catalogue.
var known = platforms.CatalogueKeys(catalogue)

// Platform is TourCMS. It calls by GET for what happened, and by POST where it
// asks.
func Platform() platforms.Platform {
	return platforms.Platform{
		Key: platform, Name: "TourCMS", Connect: connect, About: about, Events: Events(),
		Methods: []string{http.MethodGet, http.MethodPost}, Settings: settings(), Texts: texts,
		Read: Read, Native: Native, Booking: Booking, Sample: Sample,
		InlineCall: InlineCall, InlineAbout: inlineAbout, APIKey: Key, Lookup: Lookup(), Lists: Lists(),
	}
}
