package ltd

import (
	"cmp"
	"slices"

	"bookhook/platforms"
	"bookhook/webhook"
)

// Booking returns what the event says about a booking. The action of a transaction
// is "changed" even if it is new: LTD sends the same message for both. Its status is
// that of its orders if they all agree.
func Booking(e webhook.Event) *platforms.Booking {
	payload, err := platforms.ParseObject(e.Data)
	if err == nil && e.Inbound {
		payload, err = payload.Object("Payload")
	}
	if err != nil {
		payload = nil
	}
	b := platforms.NewBooking("", e)
	b.Reference = cmp.Or(payload.Ref("BookingReference"), b.Reference)
	if id := affiliate(payload); id != "" {
		b.Channel = &platforms.Named{ID: id}
	}
	var said []platforms.BookedTour
	switch e.Type {
	case changed:
		b.Action = platforms.Changed
		said = transaction(b, payload)
	case eticket:
		b.Action = platforms.VoucherReleased
		said = tickets(b, payload)
	default:
		return nil
	}
	if len(said) > 0 {
		b.Tours = said
	}
	return b
}

// transaction adds what a TransactionChanged says, and returns its tours.
func transaction(b *platforms.Booking, payload platforms.Object) (tours []platforms.BookedTour) {
	b.MadeAt = payload.Text("PurchaseDateTime")
	if customer, _ := payload.Object("Customer"); customer != nil {
		addCustomer(b, platforms.Customer{Name: customer.Text("FullName"), Email: customer.Text("Email"), Phone: customer.Text("PhoneNumber")})
	}
	if total := payload.Number("TotalAmount"); total != "" {
		b.Total = &platforms.Money{Amount: total}
	}
	orders, _ := payload.Objects("Orders")
	var statuses []string
	for _, order := range orders {
		statuses = append(statuses, order.Text("OrderStatus"))
		tours = append(tours, platforms.BookedTour{
			Named:    platforms.Named{ID: order.Ref("EventId"), Name: order.Text("EventName")},
			StartsAt: order.Text("PerformanceTimeDate"),
		})
	}
	if agreed := slices.Compact(statuses); len(agreed) == 1 {
		b.Status = agreed[0]
	}
	return distinct(tours)
}

// tickets adds what a ScheduledEticketDelivery says: its shows have no ids.
func tickets(b *platforms.Booking, payload platforms.Object) (tours []platforms.BookedTour) {
	addCustomer(b, platforms.Customer{Email: payload.Text("CustomerEmail")})
	list, _ := payload.Objects("Tickets")
	for _, ticket := range list {
		tours = append(tours, platforms.BookedTour{
			Named:    platforms.Named{Name: ticket.Text("EventName")},
			StartsAt: ticket.Text("PerformanceDate"),
		})
	}
	return distinct(tours)
}

func addCustomer(b *platforms.Booking, c platforms.Customer) {
	if c != (platforms.Customer{}) {
		b.Customer = &c
	}
}

// distinct returns each performance once, in their order.
func distinct(tours []platforms.BookedTour) []platforms.BookedTour {
	seen := map[platforms.BookedTour]bool{{}: true}
	return slices.DeleteFunc(tours, func(tour platforms.BookedTour) bool {
		again := seen[tour]
		seen[tour] = true
		return again
	})
}
