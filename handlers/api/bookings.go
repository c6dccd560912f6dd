package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/platforms"
	"bookhook/webhook"
)

// BookingStore is what the API needs of bookings.
type BookingStore interface {
	BookingEvents(ctx context.Context, account webhook.AccountID, booking string, before webhook.EventID, limit int) (webhook.Page[webhook.BookingEvent, webhook.EventID], error)
}

// ShowBooking shows everything of one booking, the newest event first.
func (a *API) ShowBooking(c *fiber.Ctx) error {
	q := readQuery(c)
	before := queryID[webhook.EventID](q, "cursor")
	if err := q.problems.Err(); err != nil {
		return err
	}
	ctx, account := c.UserContext(), currentToken(c).Account
	booking, err := web.RefParam(c, "booking_id")
	if err != nil {
		return err
	}
	found, err := a.Store.BookingEvents(ctx, account, booking, before, q.limit)
	if err != nil {
		return err
	}
	if len(found.Rows) == 0 && before == 0 {
		return webhook.ErrNotFound
	}
	changes, err := a.Platforms.Changes(found.Rows, func(id webhook.EventID) (webhook.EventRow, error) { return a.Store.Event(ctx, account, id) })
	if err != nil {
		return err
	}
	if len(changes) < len(found.Rows) {
		found.Rows, found.Next = found.Rows[:len(changes)], found.Rows[len(changes)-1].ID
	}
	shown := bookingJSON{BookingID: booking, Events: []bookingEventJSON{}, Next: cursor(found.Next)}
	now := time.Now()
	for i, e := range found.Rows {
		one := bookingEventJSON{eventJSON: a.showEvent(e.EventRow), Decisions: showEach(e.Decisions), Changes: showChanges(changes[i]), MoreChanges: changes[i].More}
		if one.Deliveries, err = a.showLogged(ctx, e.Deliveries, now); err != nil {
			return err
		}
		shown.Events = append(shown.Events, one)
	}
	return web.SendJSON(c, http.StatusOK, shown)
}

// bookingJSON is a page of a booking's events.
type bookingJSON struct {
	BookingID string             `json:"booking_id"`
	Events    []bookingEventJSON `json:"events"`
	Next      string             `json:"next_cursor"`
}

// bookingEventJSON is an event of a booking. Its deliveries take the place of those
// that an event is listed with.
type bookingEventJSON struct {
	eventJSON
	Decisions   []decisionJSON       `json:"decisions"`
	Changes     []changeJSON         `json:"changes"`
	MoreChanges bool                 `json:"more_changes"`
	Deliveries  []loggedDeliveryJSON `json:"deliveries"`
}

// decisionJSON is what was decided for one webhook.
type decisionJSON struct {
	WebhookID  string         `json:"webhook_id"`
	DeliveryID *string        `json:"delivery_id"`
	Reason     webhook.Reason `json:"reason"`
}

// changeJSON is one value that is not what it was.
type changeJSON struct {
	Path  string            `json:"path"`
	Op    webhook.Operation `json:"op"`
	Was   json.RawMessage   `json:"was,omitempty"`
	Value json.RawMessage   `json:"value,omitempty"`
}

func showEach(decisions []webhook.Decision) []decisionJSON {
	shown := make([]decisionJSON, len(decisions))
	for i, d := range decisions {
		shown[i] = decisionJSON{WebhookID: d.Webhook.String(), DeliveryID: idOrNull(d.Delivery), Reason: d.Reason}
	}
	return shown
}

func showChanges(c platforms.Changes) []changeJSON {
	shown := make([]changeJSON, len(c.Differences))
	for i, d := range c.Differences {
		shown[i] = changeJSON(d)
	}
	return shown
}

// showLogged shows deliveries with their newest attempts, which are listed without
// bodies.
func (a *API) showLogged(ctx context.Context, deliveries []webhook.LoggedDelivery, now time.Time) ([]loggedDeliveryJSON, error) {
	shown := make([]loggedDeliveryJSON, len(deliveries))
	for i, d := range deliveries {
		first, err := a.waitsFor(ctx, d.Delivery)
		if err != nil {
			return nil, err
		}
		for n := range d.Attempts {
			d.Attempts[n].ResponseBody = nil
		}
		shown[i] = loggedDeliveryJSON{showDelivery(d.Delivery, now), idOrNull(first), a.showAttempts(d.Delivery, d.Attempts, webhook.BookingAttempts, now)}
	}
	return shown, nil
}
