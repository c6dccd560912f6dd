package pages

import (
	"context"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/platforms"
	"bookhook/views"
	"bookhook/webhook"
)

// BookingStore is what the pages need of bookings.
type BookingStore interface {
	BookingEvents(ctx context.Context, account webhook.AccountID, booking string, before webhook.EventID, limit int) (webhook.Page[webhook.BookingEvent, webhook.EventID], error)
	BookingsFrom(ctx context.Context, account webhook.AccountID, prefix string, limit int) ([]string, error)
}

// bookingRows is how many events of a booking one page shows.
const bookingRows = 20

// ShowBooking shows the events of a booking with what changed in each, and what became
// of them.
func (pg *Pages) ShowBooking(c *fiber.Ctx) error {
	ctx, account := c.UserContext(), currentUser(c).Account.ID
	reference, err := web.RefParam(c, "reference")
	if err != nil {
		return noBooking()
	}
	props := views.BookingProps{Reference: reference}
	before, err := web.IDQuery[webhook.EventID](c, "before")
	if err != nil {
		return err
	}
	props.First = before == 0
	found, err := pg.Store.BookingEvents(ctx, account, props.Reference, before, bookingRows)
	if err != nil {
		return err
	}
	if len(found.Rows) == 0 {
		return noBooking()
	}
	changes, err := pg.Platforms.Changes(found.Rows, func(id webhook.EventID) (webhook.EventRow, error) { return pg.Store.Event(ctx, account, id) })
	if err != nil {
		return err
	}
	if props.Older = found.Next; len(changes) < len(found.Rows) {
		found.Rows, props.Older = found.Rows[:len(changes)], found.Rows[len(changes)-1].ID
	}
	if props.Events, err = pg.bookingSteps(c, found.Rows, changes); err != nil {
		return err
	}
	if props.Page, err = pg.page(c); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Booking(props))
}

// noBooking is the problem of a reference of which there is no event.
func noBooking() error {
	return &web.Problem{
		Type: "no-booking", Title: "No event of this booking", Status: http.StatusNotFound,
		Meaning: "Bookhook has not received anything about it, or so long ago that it is no longer in the log.",
		Next:    "Check the reference, and whether your booking system sent it. The search also finds references by their beginning.",
	}
}

// bookingSteps adds the names of events, channels, tours and webhooks, and what changed.
func (pg *Pages) bookingSteps(c *fiber.Ctx, events []webhook.BookingEvent, changes []platforms.Changes) ([]views.BookingStep, error) {
	ctx, account := c.UserContext(), currentUser(c).Account.ID
	h, err := pg.hooks(ctx, account)
	if err != nil {
		return nil, err
	}
	var channels, tours []string
	for _, e := range events {
		if e.ChannelID != "" {
			channels = append(channels, e.ChannelID)
		}
		tours = append(tours, e.TourIDs...)
	}
	names, err := pg.names(ctx, account, channels, tours)
	if err != nil {
		return nil, err
	}
	steps := make([]views.BookingStep, len(events))
	for i, e := range events {
		steps[i] = views.BookingStep{
			Event: e.Event, EventName: pg.eventName(e.Platform, e.Type), Platform: pg.platformName(e.Platform), Names: names,
			Changes: changes[i].Differences, MoreChanges: changes[i].More, Compared: e.Previous != 0, Decisions: pg.bookingDecisions(e, h),
		}
	}
	return steps, nil
}

// bookingDecisions returns the decision on an event for each webhook, with its
// delivery and attempts.
func (pg *Pages) bookingDecisions(e webhook.BookingEvent, h hooks) []views.BookingDecision {
	byID := make(map[webhook.DeliveryID]*webhook.LoggedDelivery, len(e.Deliveries))
	for i := range e.Deliveries {
		byID[e.Deliveries[i].ID] = &e.Deliveries[i]
	}
	decisions := h.decisions(e.EventRow)
	all := make([]views.BookingDecision, len(decisions))
	for i, d := range decisions {
		all[i] = views.BookingDecision{DecisionRow: decisionRow(d, h), Sent: d.Delivery != 0, Receiver: h.find(d.Webhook)}
		if logged := byID[d.Delivery]; logged != nil {
			all[i].Delivery, all[i].Attempts = &logged.Delivery, logged.Attempts
		}
	}
	return all
}
