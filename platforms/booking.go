package platforms

import (
	"encoding/json"

	"bookhook/webhook"
)

// Action is what happened to a booking, the same for all platforms. The texts are
// part of the API.
type Action string

// The actions of a booking's life.
const (
	Made             Action = "made"
	Changed          Action = "changed"
	BookingCancelled Action = "cancelled"
	Paid             Action = "paid"
	Refunded         Action = "refunded"
	Redeemed         Action = "redeemed"
	VoucherReleased  Action = "voucher_released"
	VoucherRevoked   Action = "voucher_revoked"
)

// Booking is what an event says about a booking, in the same fields for all
// platforms. In the standard format it is beside the data it is derived from, which
// are sent as they were received. What the platform did not say is absent, never
// guessed.
type Booking struct {
	Action    Action       `json:"action"`
	Reference string       `json:"reference,omitempty"` // the platform's
	Status    string       `json:"status,omitempty"`    // in the platform's words
	Channel   *Named       `json:"channel,omitempty"`   // where it was sold
	Tours     []BookedTour `json:"tours,omitempty"`
	Customer  *Customer    `json:"customer,omitempty"` // the lead customer
	Total     *Money       `json:"total,omitempty"`
	MadeAt    string       `json:"made_at,omitempty"` // as the platform writes it, with or without a zone
	StartsAt  string       `json:"starts_at,omitempty"`
	EndsAt    string       `json:"ends_at,omitempty"`
}

// NewBooking returns a Booking with the ids of the event; the platform adds the
// rest.
func NewBooking(action Action, e webhook.Event) *Booking {
	b := &Booking{Action: action, Reference: e.BookingID}
	if e.ChannelID != "" {
		b.Channel = &Named{ID: e.ChannelID}
	}
	for _, id := range e.TourIDs {
		b.Tours = append(b.Tours, BookedTour{Named: Named{ID: id}})
	}
	return b
}

// Named is an id, a name, or both.
type Named struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

// BookedTour is one thing that was booked.
type BookedTour struct {
	Named
	StartsAt string `json:"starts_at,omitempty"`
	EndsAt   string `json:"ends_at,omitempty"`
	Quantity int    `json:"quantity,omitempty"`
}

// Customer is who booked.
type Customer struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
	Phone string `json:"phone,omitempty"`
}

// Money is an amount as the platform wrote it, digit for digit.
type Money struct {
	Amount   json.Number `json:"amount"`
	Currency string      `json:"currency,omitempty"` // ISO 4217; absent when the platform does not say
}
