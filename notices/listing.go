package notices

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"bookhook/fallback"
	"bookhook/platforms"
	"bookhook/webhook"
)

// Bounds of what is read for a message.
const (
	eventsAtOnce = 100
	skippedPages = 40       // of the events that came in while a webhook is off
	readBytes    = 32 << 20 // of what platforms sent: what is beyond is listed by what is stored beside it
)

// listing is what a message with bookings lists.
type listing struct {
	told
	about fallback.Mail
	hook  *webhook.Webhook // nil in a last message
	now   time.Time

	guests bool // with guests' names and contact data

	rows    []fallback.Row
	content []byte        // the rows as a file
	written int           // rows of the file
	all     webhook.Count // that there are, of which rows are the first
	oldest  time.Time     // when the first delivery of rows was created

	waiting, failed, delivered, cancelled, skipped int // of rows
	unread                                         int // of rows: they lack what only the data says
}

// read reads the rows and makes the file of them.
func (b *listing) read(ctx context.Context) error {
	deliveries, all, err := b.Store.ListedDeliveries(ctx, b.account.ID, b.about, fallback.MaxRows)
	if err != nil {
		return err
	}
	b.all = all
	var events []webhook.EventID
	for _, d := range deliveries {
		events = append(events, d.Event)
	}
	if len(deliveries) > 0 {
		b.oldest = deliveries[0].CreatedAt
	}
	skipped, err := b.skippedEvents(ctx, fallback.MaxRows-len(deliveries))
	if err != nil {
		return err
	}
	described, err := b.describe(ctx, append(events, skipped...))
	if err != nil {
		return err
	}
	for _, d := range deliveries {
		if row, found := described[d.Event]; found {
			b.rows = append(b.rows, b.deliveryRow(row, d))
		}
	}
	for _, id := range skipped {
		if row, found := described[id]; found {
			row.State, row.Link = "Skipped while the webhook is off, not delivered by itself", b.BaseURL+"/events/"+id.String()
			b.rows = append(b.rows, row)
			b.skipped++
		}
	}
	b.content, b.written = fallback.Sheet{Guests: b.guests, Last: b.about.Last != "", Zone: b.account.Location()}.File(b.rows)
	return nil
}

// deliveryRow adds to the row of an event what is so about its delivery.
func (b *listing) deliveryRow(row fallback.Row, d webhook.Delivery) fallback.Row {
	row.Link = b.BaseURL + "/deliveries/" + d.ID.String()
	switch {
	case d.State == webhook.Delivered:
		row.State, row.At = "Delivered", d.Finished
		b.delivered++
	case d.State == webhook.Failed:
		row.State = "Failed for good, not delivered by itself"
		b.failed++
	case d.State == webhook.Cancelled, b.about.Last == fallback.Deleted:
		row.State = "Cancelled, not delivered"
		b.cancelled++
	case b.off():
		row.State = "Waiting until the webhook is switched on"
		b.waiting++
	default:
		row.State = "Waiting, still delivered by itself"
		if b.about.Last == "" && !d.InFlight(b.now) {
			row.At = b.nextAttempt(d)
		}
		b.waiting++
	}
	return row
}

// nextAttempt returns when a delivery is attempted next, which is not before the pause of
// its webhook ends; now if it is about to be.
func (b *listing) nextAttempt(d webhook.Delivery) time.Time {
	at := d.NextAt
	if b.hook != nil && b.hook.Circuit.ProbeAt.After(at) {
		at = b.hook.Circuit.ProbeAt
	}
	if !at.After(b.now) {
		return b.now
	}
	return at
}

// skippedEvents lists events of bookings that the webhook would have received if it were
// not off. It counts all of them, up to a bound.
func (b *listing) skippedEvents(ctx context.Context, most int) (ids []webhook.EventID, err error) {
	if b.hook == nil || b.hook.Enabled {
		return nil, nil
	}
	on := *b.hook
	on.Enabled = true
	f := webhook.EventFilter{Since: b.about.From, Until: b.about.Until}
	var after webhook.EventID
	for page, more := 0, true; more && page < skippedPages; page++ {
		var events []webhook.MissedEvent
		if events, more, err = b.Store.CandidateEvents(ctx, b.account.ID, f, after); err != nil {
			return nil, err
		}
		for _, e := range events {
			after = e.ID
			if e.BookingID == "" || !skippedBy(e.Decisions, b.hook.ID) || webhook.Match(&on, &e.Event) != webhook.Matched {
				continue
			}
			b.all.N++
			if len(ids) < most {
				ids = append(ids, e.ID)
			}
		}
		b.all.More = b.all.More || more && page == skippedPages-1
	}
	return ids, nil
}

// skippedBy reports whether an event was skipped because the webhook was off.
func skippedBy(decisions []webhook.Decision, id webhook.WebhookID) bool {
	for _, d := range decisions {
		if d.Webhook == id {
			return d.Delivery == 0 && d.Reason == webhook.ReasonDisabled
		}
	}
	return false
}

// describe returns the rows of events, without what is so about their deliveries.
func (b *listing) describe(ctx context.Context, ids []webhook.EventID) (map[webhook.EventID]fallback.Row, error) {
	tours, err := b.names(ctx, webhook.Tours)
	if err != nil {
		return nil, err
	}
	channels, err := b.names(ctx, webhook.Channels)
	if err != nil {
		return nil, err
	}
	rows := map[webhook.EventID]fallback.Row{}
	for read := 0; len(ids) > 0; {
		n := min(len(ids), eventsAtOnce)
		err := b.Store.EventData(ctx, b.account.ID, ids[:n], func(e webhook.Event) error {
			if read += len(e.Data); read > readBytes {
				e.Data = nil
				b.unread++
			}
			rows[e.ID] = describe(b.Names, e, tours, channels)
			return ctx.Err()
		})
		if err != nil {
			return nil, err
		}
		ids = ids[n:]
	}
	return rows, nil
}

func (b *listing) names(ctx context.Context, kind webhook.ItemKind) (map[string]string, error) {
	items, err := b.Store.AllItems(ctx, b.account.ID, kind)
	names := make(map[string]string, len(items))
	for _, item := range items {
		names[item.ID] = item.Name
	}
	return names, err
}

// describe returns what an event says about a booking, with the account's names of tours
// and channels.
func describe(registry platforms.Registry, e webhook.Event, tours, channels map[string]string) fallback.Row {
	row := fallback.Row{Reference: e.BookingID, Event: e.Type, Happened: e.At()}
	booking := platforms.NewBooking("", e)
	if p, known := registry.Get(e.Platform); known {
		if t, known := p.Event(e.Type); known {
			row.Event = t.Name
		}
		if said := p.Booking(e); said != nil {
			booking = said
		}
	}
	if c := booking.Channel; c != nil {
		row.Channel = cmp.Or(channels[c.ID], c.Name, c.ID)
	}
	if c := booking.Customer; c != nil {
		row.Guest = fallback.Guest{Name: c.Name, Email: c.Email, Phone: c.Phone}
	}
	booked := make([]fallback.Tour, 0, len(booking.Tours))
	for _, t := range booking.Tours {
		booked = append(booked, fallback.Tour{Name: cmp.Or(tours[t.ID], t.Name, t.ID), Starts: t.StartsAt, Ends: t.EndsAt, Quantity: t.Quantity})
	}
	row.AddTours(booked)
	if len(row.Tours) == 0 && booking.StartsAt != "" {
		row.Tours = []fallback.Tour{{}}
	}
	if len(row.Tours) == 1 {
		tour := &row.Tours[0]
		tour.Starts, tour.Ends = cmp.Or(tour.Starts, booking.StartsAt), cmp.Or(tour.Ends, booking.EndsAt)
	}
	return row
}

// number counts what is in the file.
func (b *listing) number() string {
	switch {
	case b.all.More:
		return fmt.Sprintf("the first %d of more than %d events", b.written, b.total())
	case b.written < b.total():
		return fmt.Sprintf("the first %d of %d events", b.written, b.total())
	}
	return number(b.written, "event", "events") + " of " + b.bookingCount()
}

// bookingCount counts the bookings that are listed.
func (b *listing) bookingCount() string {
	text := number(fallback.Bookings(b.rows), "booking", "bookings")
	if b.total() > len(b.rows) {
		text = "more than " + text
	}
	return text
}

// total is how many events there are, as far as they were counted.
func (b *listing) total() int { return max(b.all.N, len(b.rows)) }

// rest says where to find what is not in the file.
func (b *listing) rest() string {
	text := ""
	if b.unread > 0 {
		text = "Because the bookings are very large, the file has no times and guests of " + b.those(b.unread) + ": follow the links in it. "
	}
	if b.written < b.total() {
		text += "Sign in to view the others."
	}
	return text
}

// lines are the first rows, for those who do not open the file.
func (b *listing) lines() (lines []string) {
	for _, r := range b.rows[:min(len(b.rows), listedLines)] {
		lines = append(lines, r.Line())
	}
	if more := b.total() - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return lines
}
