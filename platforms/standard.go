package platforms

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"bookhook/webhook"
)

// standardBody is the body of the standard format, in the order of its keys.
type standardBody struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	Platform  string          `json:"platform"`
	AccountID string          `json:"account_id"`
	ChannelID string          `json:"channel_id"`
	TourIDs   []string        `json:"tour_ids"`
	BookingID string          `json:"booking_id"`
	Timestamp string          `json:"timestamp"`
	Test      bool            `json:"test,omitempty"`
	Booking   *Booking        `json:"booking,omitempty"`
	Data      json.RawMessage `json:"data"`
}

// StandardBody writes the event as the signed JSON of the standard format; its
// timestamp is [webhook.Event.At]. It contains the data byte for byte as they were
// received; booking is what they say about a booking, nil if nothing.
func StandardBody(e webhook.Event, accountNumber int64, booking *Booking) []byte {
	tours := e.TourIDs
	if tours == nil {
		tours = []string{}
	}
	head := EncodeJSON(standardBody{
		ID: e.ID.String(), Type: e.Type, Platform: e.Platform,
		AccountID: strconv.FormatInt(accountNumber, 10), ChannelID: e.ChannelID,
		TourIDs: tours, BookingID: e.BookingID,
		Timestamp: e.At().UTC().Format(time.RFC3339Nano), Test: e.Test, Booking: booking, Data: json.RawMessage("0"),
	})
	data := e.Data
	if len(data) == 0 {
		data = []byte("null")
	}
	start := bytes.TrimSuffix(head, []byte("0}"))
	return slices.Concat(start, data, []byte("}"))
}

// StandardRequest writes the event in the standard format; booking is as for
// [StandardBody].
func StandardRequest(a webhook.Account, e webhook.Event, booking *Booking, url string) Request {
	return JSONRequest(url, StandardBody(e, a.Number, booking))
}
