package ltd

import (
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
	b := &webhook.Booking{Reference: payload.Ref("BookingReference")}
	if b.Reference == "" {
		b.Reference = e.BookingID
	}
	channel := affiliate(payload)
	if channel == "" {
		channel = e.ChannelID
	}
	if channel != "" {
		b.Channel = &webhook.Named{ID: channel}
	}
	switch e.Type {
	case changed:
		b.Action = webhook.Changed
		transaction(b, payload)
	case eticket:
		b.Action = webhook.VoucherReleased
		tickets(b, payload)
	default:
		return nil
	}
	if len(b.Tours) == 0 {
		for _, id := range e.TourIDs {
			b.Tours = append(b.Tours, webhook.BookedTour{Named: webhook.Named{ID: id}})
		}
	}
	return b
}

// transaction adds what a TransactionChanged says.
func transaction(b *webhook.Booking, payload webhook.Object) {
	b.MadeAt = payload.Text("PurchaseDateTime")
	if customer, _ := payload.Object("Customer"); customer != nil {
		addCustomer(b, webhook.Customer{Name: customer.Text("FullName"), Email: customer.Text("Email"), Phone: customer.Text("PhoneNumber")})
	}
	if total := payload.Number("TotalAmount"); total != "" {
		b.Total = &webhook.Money{Amount: total}
	}
	orders, _ := payload.Objects("Orders")
	var statuses []string
	var tours []webhook.BookedTour
	for _, order := range orders {
		statuses = append(statuses, order.Text("OrderStatus"))
		tours = append(tours, webhook.BookedTour{
			Named:    webhook.Named{ID: order.Ref("EventId"), Name: order.Text("EventName")},
			StartsAt: order.Text("PerformanceTimeDate"),
		})
	}
	b.Tours = distinct(tours)
	if agreed := slices.Compact(statuses); len(agreed) == 1 {
		b.Status = agreed[0]
	}
}

// tickets adds what a ScheduledEticketDelivery says: its shows have no ids.
func tickets(b *webhook.Booking, payload webhook.Object) {
	addCustomer(b, webhook.Customer{Email: payload.Text("CustomerEmail")})
	list, _ := payload.Objects("Tickets")
	var tours []webhook.BookedTour
	for _, ticket := range list {
		tours = append(tours, webhook.BookedTour{
			Named:    webhook.Named{Name: ticket.Text("EventName")},
			StartsAt: ticket.Text("PerformanceDate"),
		})
	}
	b.Tours = distinct(tours)
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
