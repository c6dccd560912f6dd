package ltd

import (
	"cmp"
	"slices"

	"bookhook/webhook"
)

// Booking says what the event says about a booking. A transaction is said to be
// changed even when it is new: LTD sends the same message for both. Its status
// is that of its orders where they agree; what the tickets are is not counted.
func Booking(e webhook.Event) *webhook.Booking {
	payload, err := webhook.ParseObject(e.Data)
	if e.Inbound {
		payload, err = payload.Object("Payload")
	}
	if err != nil {
		payload = nil
	}
	b := webhook.NewBooking("", e)
	b.Reference = cmp.Or(payload.Ref("BookingReference"), b.Reference)
	if id := affiliate(payload); id != "" {
		b.Channel = &webhook.Named{ID: id}
	}
	var said []webhook.BookedTour
	switch e.Type {
	case changed:
		b.Action = webhook.Changed
		said = transaction(b, payload)
	case eticket:
		b.Action = webhook.VoucherReleased
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
func transaction(b *webhook.Booking, payload webhook.Object) (tours []webhook.BookedTour) {
	b.MadeAt = payload.Text("PurchaseDateTime")
	if customer, _ := payload.Object("Customer"); customer != nil {
		addCustomer(b, webhook.Customer{Name: customer.Text("FullName"), Email: customer.Text("Email"), Phone: customer.Text("PhoneNumber")})
	}
	if total := payload.Number("TotalAmount"); total != "" {
		b.Total = &webhook.Money{Amount: total}
	}
	orders, _ := payload.Objects("Orders")
	var statuses []string
	for _, order := range orders {
		statuses = append(statuses, order.Text("OrderStatus"))
		tours = append(tours, webhook.BookedTour{
			Named:    webhook.Named{ID: order.Ref("EventId"), Name: order.Text("EventName")},
			StartsAt: order.Text("PerformanceTimeDate"),
		})
	}
	if agreed := slices.Compact(statuses); len(agreed) == 1 {
		b.Status = agreed[0]
	}
	return distinct(tours)
}

// tickets adds what a ScheduledEticketDelivery says: its shows have no ids.
func tickets(b *webhook.Booking, payload webhook.Object) (tours []webhook.BookedTour) {
	addCustomer(b, webhook.Customer{Email: payload.Text("CustomerEmail")})
	list, _ := payload.Objects("Tickets")
	for _, ticket := range list {
		tours = append(tours, webhook.BookedTour{
			Named:    webhook.Named{Name: ticket.Text("EventName")},
			StartsAt: ticket.Text("PerformanceDate"),
		})
	}
	return distinct(tours)
}

func addCustomer(b *webhook.Booking, c webhook.Customer) {
	if c != (webhook.Customer{}) {
		b.Customer = &c
	}
}

// distinct names each performance once, in the order they came.
func distinct(tours []webhook.BookedTour) []webhook.BookedTour {
	seen := map[webhook.BookedTour]bool{{}: true}
	return slices.DeleteFunc(tours, func(tour webhook.BookedTour) bool {
		again := seen[tour]
		seen[tour] = true
		return again
	})
}
