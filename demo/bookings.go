package demo

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"bookhook/webhook"
)

// event is one event as POST /api/v1/events takes it.
type event struct {
	ID         string    `json:"id"`
	Type       string    `json:"type"`
	ChannelID  string    `json:"channel_id"`
	TourIDs    []string  `json:"tour_ids"`
	BookingID  string    `json:"booking_id"`
	OccurredAt time.Time `json:"occurred_at"`
	Data       document  `json:"data"`
}

// document is a part of a booking as TourCMS shows it, under its names.
type document struct {
	BookingID    int         `json:"booking_id"`
	Status       int         `json:"status"`
	StatusText   string      `json:"status_text"`
	ChannelName  string      `json:"channel_name"`
	LeadCustomer string      `json:"lead_customer_name"`
	Customers    int         `json:"customer_count"`
	StartDate    string      `json:"start_date"`
	EndDate      string      `json:"end_date"`
	Currency     string      `json:"sale_currency"`
	Revenue      string      `json:"sales_revenue"`
	AgentRef     string      `json:"agent_ref,omitempty"`
	CancelText   string      `json:"cancel_text,omitempty"`
	Components   []component `json:"components"`
}

type component struct {
	ProductID string `json:"product_id"`
	Name      string `json:"component_name"`
	StartDate string `json:"start_date"`
	StartTime string `json:"start_time"`
	Quantity  int    `json:"sale_quantity"`
}

// status of a booking, numbered as TourCMS does.
type status int

const (
	quotation status = iota
	provisional
	isConfirmed
	closed
)

var statusTexts = []string{"Quotation", "Provisional", "Confirmed", "Over"}

// booking is one that can still change.
type booking struct {
	number  int
	status  status
	channel webhook.Item
	doc     document
	tours   []string
	events  int // so far
}

// bookings generates the events of a booking system, one after the other.
type bookings struct {
	rand   *rand.Rand
	number int // of the last booking
	total  int
	open   []*booking
}

// maxOpen bounds how many open bookings the demo keeps.
const maxOpen = 60

func newBookings(r *rand.Rand) *bookings { return &bookings{rand: r, number: 20400} }

// next returns the event that happens at now. Every channel starts with a
// confirmed booking; after that, two in five events are about an earlier one.
func (b *bookings) next(now time.Time) event {
	switch {
	case b.total < len(channels):
		return b.create(channels[b.total], isConfirmed, now)
	case len(b.open) > 0 && (len(b.open) >= maxOpen || b.rand.IntN(5) < 2): // all may be closed
		return b.change(now)
	}
	return b.create(pick(b.rand, channels), b.firstStatus(), now)
}

func (b *bookings) firstStatus() status {
	return pick(b.rand, []status{isConfirmed, isConfirmed, isConfirmed, isConfirmed, provisional, quotation})
}

// create adds a booking of one or two tours.
func (b *bookings) create(channel webhook.Item, first status, now time.Time) event {
	b.total++
	b.number += 1 + b.rand.IntN(4)
	people := 1 + b.rand.IntN(6)
	day := now.AddDate(0, 0, 1+b.rand.IntN(60)).Format(time.DateOnly)
	k := &booking{number: b.number, status: first, channel: channel}
	k.doc = document{
		BookingID: b.number, ChannelName: channel.Name, LeadCustomer: pick(b.rand, guests), Customers: people,
		StartDate: day, EndDate: day, Currency: "EUR",
	}
	if slices.Contains(resellers.IDs, channel.ID) {
		k.doc.AgentRef = fmt.Sprintf("%s-%08d", channel.Name[:1], b.rand.IntN(1e8))
	}
	revenue := 0
	for _, i := range b.rand.Perm(len(tours))[:1+b.rand.IntN(5)/4] {
		t := tours[i]
		revenue += t.price * people
		k.tours = append(k.tours, t.id)
		k.doc.Components = append(k.doc.Components, component{t.id, t.name, day, t.start, people})
	}
	k.doc.Revenue = strconv.Itoa(revenue) + ".00"
	b.open = append(b.open, k)
	return k.event([]string{"new_quotation", "new_provisional", "new_confirmed"}[first]+k.actor(), now)
}

// change changes an open booking.
func (b *bookings) change(now time.Time) event {
	i := b.rand.IntN(len(b.open))
	k := b.open[i]
	type step struct {
		event string
		to    status
	}
	s := pick(b.rand, [][]step{
		quotation:   {{"new_confirmed" + k.actor(), isConfirmed}, {"expq_quotation", closed}},
		provisional: {{"new_confirmed" + k.actor(), isConfirmed}, {"token_failure", provisional}, {"expp_provisional", closed}},
		isConfirmed: {{"redeem_voucher", closed}, {"cancelled", closed}, {"token_success", isConfirmed}},
	}[k.status])
	if s.event == "cancelled" {
		k.doc.CancelText = "Cancelled by the customer"
	}
	if s.to == closed {
		b.open = slices.Delete(b.open, i, i+1)
	} else {
		k.status = s.to
	}
	return k.event(s.event, now)
}

// actor returns the end of an event's key that says whether staff or a customer
// on the web caused it.
func (k *booking) actor() string {
	if k.channel.ID == office {
		return "_staff"
	}
	return "_web"
}

func (k *booking) event(eventType string, now time.Time) event {
	k.events++
	k.doc.Status, k.doc.StatusText = int(k.status), statusTexts[k.status]
	number := strconv.Itoa(k.number)
	return event{
		ID: fmt.Sprintf("tnt-%s-%d", number, k.events), Type: eventType, ChannelID: k.channel.ID, TourIDs: k.tours,
		BookingID: number, OccurredAt: now.UTC().Truncate(time.Second), Data: k.doc,
	}
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }
