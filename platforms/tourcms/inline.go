package tourcms

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"bookhook/platforms"
	"bookhook/platforms/tourcms/xpath"
	"bookhook/webhook"
)

// signedFields are the fields that [Inline] signs, if the document has them. Which
// fields TourCMS itself signs is not documented; the vendor's wrappers accept any
// that the document lists.
var signedFields = []string{"booking/booking_id", "booking/channel_id", "booking/account_id", "booking/status"}

// Inline puts a signed block into a Show Booking document, as the last child of
// its root, or replaces the one there: algorithm SHA256, with the key that the
// receiver knows. It fails without a key, and if there is nothing to sign: the text
// is not such a document, or has no booking/booking_id.
func Inline(text []byte, key string) ([]byte, error) {
	if key == "" { // anybody can sign with an empty key
		return nil, webhook.NewMessage("tourcms.no_key")
	}
	root, err := parse(text)
	if err != nil {
		return nil, err
	}
	id := root.child("booking").child("booking_id")
	if id == nil || strings.TrimSpace(id.text()) == "" {
		return nil, webhook.NewMessage("tourcms.nothing_to_sign")
	}
	fields := slices.DeleteFunc(slices.Clone(signedFields), func(field string) bool {
		found, err := root.find(field, xpath.NewEffort(maxEffort))
		return err != nil || len(found) == 0
	})
	mac := hmac.New(sha256.New, []byte(key))
	switch covered, _, err := writeValues(mac, root, fields, id); {
	case err != nil:
		return nil, err
	case !covered: // its namespace hides it from paths
		return nil, webhook.NewMessage("tourcms.nothing_to_sign")
	}
	block := "<signed><algorithm>SHA256</algorithm><hash_fields>" + strings.Join(fields, " ") +
		"</hash_fields><hash>" + hex.EncodeToString(mac.Sum(nil)) + "</hash></signed>"
	return slices.Concat(withoutSigned(text, root), []byte(block), text[root.Inside:]), nil
}

// withoutSigned is the document up to the root's end tag without the signed
// blocks in it.
func withoutSigned(text []byte, root *element) []byte {
	var kept []byte
	from := int32(0)
	for signed := range root.named("signed") {
		kept = append(kept, text[from:signed.Start]...)
		from = signed.End
	}
	return append(kept, text[from:root.Inside]...)
}

// ShowBooking writes a minimal Show Booking document for an event without one: what
// the event says, and nothing else.
func ShowBooking(a webhook.Account, e webhook.Event) []byte {
	doc := showBooking{
		Request: "GET /c/booking/show.xml?booking_id=" + escape(e.BookingID), Error: "OK",
		Booking: bookingXML{BookingID: e.BookingID, ChannelID: e.ChannelID, AccountID: strconv.FormatInt(a.Number, 10)},
	}
	doc.Booking.Status, doc.Booking.StatusText = statusOf(e.Type)
	for i, tour := range e.TourIDs {
		doc.Booking.Components = append(doc.Booking.Components, componentXML{i + 1, tour})
	}
	text, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil { // texts and numbers always encode
		panic(err)
	}
	return append([]byte(xml.Header), append(text, '\n')...)
}

type showBooking struct {
	XMLName xml.Name   `xml:"response"`
	Request string     `xml:"request"`
	Error   string     `xml:"error"`
	Booking bookingXML `xml:"booking"`
}

type bookingXML struct {
	BookingID  string         `xml:"booking_id"`
	ChannelID  string         `xml:"channel_id"`
	AccountID  string         `xml:"account_id"`
	Status     string         `xml:"status,omitempty"`
	StatusText string         `xml:"status_text,omitempty"`
	Components []componentXML `xml:"components>component"`
}

type componentXML struct {
	ID        int    `xml:"component_id"`
	ProductID string `xml:"product_id"`
}

// statusOf returns the status that an event's name contains, as Show Booking writes
// it; "" if it contains none.
func statusOf(eventType string) (status, text string) {
	switch {
	case strings.HasPrefix(eventType, "new_quotation_"):
		return "0", "Quotation"
	case strings.HasPrefix(eventType, "new_provisional_"):
		return "1", "Provisional"
	case strings.HasPrefix(eventType, "new_confirmed_"):
		return "2", "Confirmed"
	}
	return "", ""
}

// InlineCall writes the call with which TourCMS asks about a booking: a POST with
// the five keys in the query and the signed XML in the body. XML that TourCMS sent
// with its signature is passed on as it came, in UTF-8. The content type is not
// documented: text/xml is our choice. Success is 200 exactly.
func InlineCall(w *webhook.Webhook, a webhook.Account, e webhook.Event, key string) (platforms.Request, error) {
	body, err := inlineBody(a, e, key)
	if err != nil {
		return platforms.Request{}, err
	}
	return platforms.Request{
		Method: http.MethodPost, URL: address(w, a, e), Body: body, Signed: body, Only200: true,
		Header: http.Header{"Content-Type": {"text/xml; charset=utf-8"}},
	}, nil
}

func inlineBody(a webhook.Account, e webhook.Event, key string) ([]byte, error) {
	data := documents(e)
	switch {
	case data.XML != "":
		text := []byte(data.XML)
		root, err := parse(text)
		switch signed := root.child("signed") != nil; {
		case err != nil:
			return nil, err
		case signed && e.Inbound:
			return text, nil
		case signed:
			return nil, webhook.NewMessage("tourcms.signed_already")
		}
		if err := checkBooking(root.child("booking"), e); err != nil {
			return nil, err
		}
		return Inline(text, key)
	case data.ShowBooking != "":
		return Inline([]byte(data.ShowBooking), key)
	}
	return Inline(ShowBooking(a, e), key)
}

// checkBooking fails if the document is about another booking than the event: the
// receiver would decide about the wrong one.
func checkBooking(booking *element, e webhook.Event) error {
	for _, part := range []struct{ key, asked string }{{"booking_id", e.BookingID}, {"channel_id", e.ChannelID}} {
		if said := booking.value(part.key); said != "" && part.asked != "" && said != part.asked {
			return webhook.NewMessage("tourcms.another_booking", part.key, quote(part.asked), quote(said))
		}
	}
	return nil
}

// stored are the XML documents that an event's Data can have.
type stored struct {
	XML         string `json:"xml"`
	ShowBooking string `json:"show_booking"`
}

// documents returns the XML documents in the event's Data, if there are any.
func documents(e webhook.Event) stored {
	var s stored
	if bytes.Contains(e.Data, []byte(`"xml"`)) || bytes.Contains(e.Data, []byte(`"show_booking"`)) { // few have any
		json.Unmarshal(e.Data, &s) //nolint:errcheck // Data that Bookhook did not write have no documents
	}
	return s
}
