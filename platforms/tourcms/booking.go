package tourcms

import (
	"cmp"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"bookhook/platforms"
	"bookhook/webhook"
)

// Booking returns what the event says about a booking: from the XML that was sent
// with it or that TourCMS's API returned, otherwise from the event alone.
//
// TourCMS sends new_… also if an existing booking changes to that status, and the
// two cannot be distinguished, so that a booking can be "made" twice. An expired
// quotation or provisional booking was not cancelled by anybody, a failed payment
// changes nothing, and a temporary booking is none yet: these have no booking here.
func Booking(e webhook.Event) *platforms.Booking {
	action := actionOf(e.Type)
	if action == "" {
		return nil
	}
	b := platforms.NewBooking(action, e)
	data := documents(e)
	root, err := parse([]byte(cmp.Or(data.ShowBooking, data.XML)))
	if booking := root.child("booking"); err == nil && booking != nil {
		describe(b, booking)
	}
	return b
}

func actionOf(eventType string) platforms.Action {
	switch {
	case strings.HasPrefix(eventType, "new_temporary_"):
		return ""
	case strings.HasPrefix(eventType, "new_"):
		return platforms.Made
	}
	return map[string]platforms.Action{
		"cancelled": platforms.BookingCancelled, "redeem_voucher": platforms.Redeemed, "token_success": platforms.Paid,
	}[eventType]
}

// describe adds what the booking element has. If it has no reference or channel,
// those of the event are kept.
func describe(b *platforms.Booking, booking *element) {
	b.Reference = cmp.Or(booking.value("booking_id"), b.Reference)
	b.Status = booking.value("status_text")
	channel := booking.value("channel_id")
	if channel == "" && b.Channel != nil {
		channel = b.Channel.ID
	}
	b.Channel = named(channel, booking.value("channel_name"))
	b.Tours = nil
	for component := range booking.child("components").named("component") {
		if tour, ok := booked(component); ok {
			b.Tours = append(b.Tours, tour)
		}
	}
	b.Customer = customer(booking)
	b.Total = total(booking)
	b.MadeAt = booking.value("made_date_time")
	b.StartsAt = booking.value("start_date")
	b.EndsAt = booking.value("end_date")
}

// named returns nil if both are empty.
func named(id, name string) *platforms.Named {
	if id == "" && name == "" {
		return nil
	}
	return &platforms.Named{ID: id, Name: name}
}

// booked reads one component; one without a product is no tour.
func booked(component *element) (platforms.BookedTour, bool) {
	tour := platforms.BookedTour{
		Named:    platforms.Named{ID: component.value("product_id"), Name: component.value("component_name")},
		StartsAt: dateTime(component, "start_date", "start_time"),
		EndsAt:   dateTime(component, "end_date", "end_time"),
	}
	if n, err := strconv.Atoi(component.value("sale_quantity")); err == nil && n > 0 {
		tour.Quantity = n
	}
	return tour, tour.ID != ""
}

// dateTime puts a date and its time beside each other, as TourCMS itself does
// where both are in one element.
func dateTime(component *element, date, at string) string {
	day, clock := component.value(date), component.value(at)
	if day == "" || clock == "" {
		return day
	}
	return day + " " + clock
}

func customer(booking *element) *platforms.Customer {
	c := platforms.Customer{
		Name: booking.value("lead_customer_name"), Email: booking.value("lead_customer_email"),
		Phone: cmp.Or(booking.value("lead_customer_tel_mobile"), booking.value("lead_customer_tel_home")),
	}
	if c.Name == "" {
		c.Name = strings.TrimSpace(booking.value("lead_customer_firstname") + " " + booking.value("lead_customer_surname"))
	}
	if c == (platforms.Customer{}) {
		return nil
	}
	return &c
}

// amount returns the text if it is a valid JSON number.
var amount = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?$`)

func total(booking *element) *platforms.Money {
	sales := booking.value("sales_revenue")
	if !amount.MatchString(sales) {
		return nil
	}
	return &platforms.Money{Amount: json.Number(sales), Currency: booking.value("sale_currency")}
}
