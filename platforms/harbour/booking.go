package harbour

import (
	"strconv"

	"bookhook/platforms"
	"bookhook/webhook"
)

// actions maps events about a booking to their actions.
var actions = map[string]platforms.Action{
	"berth.booked":    platforms.Made,
	"berth.cancelled": platforms.BookingCancelled,
}

// Booking returns what the event says about a booking; nil for events about piers,
// which have none. What Harbour did not say is absent.
func Booking(e webhook.Event) *platforms.Booking {
	action, ok := actions[e.Type]
	if !ok {
		return nil
	}
	said, _ := platforms.ParseObject(e.Data)
	if e.Inbound {
		said, _ = said.Object("booking")
	}
	b := platforms.NewBooking(action, e)
	b.Status = said.Text("state")
	if seller, _ := said.Object("seller"); seller != nil {
		b.Channel = &platforms.Named{ID: seller.Ref("id"), Name: seller.Text("name")}
	}
	if guest, _ := said.Object("guest"); guest != nil {
		b.Customer = &platforms.Customer{Name: guest.Text("name"), Email: guest.Text("email")}
	}
	if price := said.Number("price"); price != "" {
		b.Total = &platforms.Money{Amount: price, Currency: said.Text("currency")}
	}
	boats, _ := said.Objects("boats")
	if len(boats) > 0 {
		b.Tours = nil // they say more than the ids
	}
	for _, boat := range boats {
		seats, _ := strconv.Atoi(string(boat.Number("seats")))
		b.Tours = append(b.Tours, platforms.BookedTour{
			Named: platforms.Named{ID: boat.Ref("id"), Name: boat.Text("name")}, StartsAt: boat.Text("departs"), Quantity: seats,
		})
	}
	return b
}
