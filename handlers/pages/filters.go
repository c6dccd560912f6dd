package pages

import (
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/views"
	"bookhook/webhook"
)

// deliveryFilter is the filter of the log as typed and as understood.
type deliveryFilter struct {
	webhook.DeliveryFilter
	typed    views.DeliveryFilter
	problems webhook.Invalid
}

// readDeliveryFilter reads the filter from the query; a part that is not valid is a
// problem and is ignored. Days are those of the account's time zone, both included.
func readDeliveryFilter(c *fiber.Ctx, loc *time.Location, h hooks, known func(key string) bool) deliveryFilter {
	f := deliveryFilter{problems: webhook.Invalid{}, typed: views.DeliveryFilter{
		State: c.Query("state"), Webhook: c.Query("webhook_id"), Type: c.Query("type"),
		Booking: strings.TrimSpace(c.Query("booking_id")), Since: c.Query("since"), Until: c.Query("until"),
	}}
	f.readState()
	f.readWebhook(h)
	f.readType(known)
	f.readBooking()
	f.readPeriod(loc)
	return f
}

func (f *deliveryFilter) readState() {
	f.State = webhook.State(f.typed.State)
	if f.State != "" && !slices.Contains(webhook.States, f.State) {
		f.problems.Add("state", "filter.state")
		f.State = ""
	}
}

func (f *deliveryFilter) readWebhook(h hooks) {
	if f.typed.Webhook == "" {
		return
	}
	id, err := webhook.ParseID[webhook.WebhookID](f.typed.Webhook)
	if _, ours := h.names[id]; err != nil || !ours {
		f.problems.Add("webhook_id", "filter.webhook")
		return
	}
	f.Webhook = id
}

func (f *deliveryFilter) readType(known func(key string) bool) {
	if f.typed.Type != "" && !known(f.typed.Type) {
		f.problems.Add("type", "filter.event")
		return
	}
	f.Type = f.typed.Type
}

func (f *deliveryFilter) readBooking() {
	if problem := webhook.CheckRef(f.typed.Booking); !problem.IsZero() {
		f.problems.AddMessage("booking_id", problem)
		return
	}
	f.Booking = f.typed.Booking
}

func (f *deliveryFilter) readPeriod(loc *time.Location) {
	f.Since, _ = f.day("since", f.typed.Since, loc)
	_, f.Until = f.day("until", f.typed.Until, loc)
	if !f.Until.IsZero() && !f.Until.After(f.Since) {
		f.problems.Add("until", "filter.until")
		f.Until = time.Time{}
	}
}

func (f *deliveryFilter) day(field, text string, loc *time.Location) (start, end time.Time) {
	start, end, err := readDay(text, loc)
	if err != nil {
		f.problems.Add(field, "filter.day")
	}
	return start, end
}
