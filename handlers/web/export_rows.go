package web

import (
	"context"
	"strconv"
	"strings"
	"time"

	"bookhook/webhook"
)

// Names of the columns of exports. They are part of the API.
var (
	deliveryExport = []string{
		"id", "created_at", "booking_id", "platform", "type", "webhook_id", "webhook", "state", "attempts_made", "status", "reason",
		"duration_ms", "next_attempt_at", "finished_at", "test", "event_id",
	}
	eventExport = []string{
		"id", "received_at", "occurred_at", "booking_id", "platform", "type", "channel_id", "tour_ids", "sent_to", "skipped", "test", "external_id",
	}
	reconciliationExport = []string{"result", "reference", "booking_id", "state", "reason", "platform", "type", "sent_at", "delivery_id"}
)

// ExportTime writes the times of an export.
type ExportTime func(time.Time) string

func (show ExportTime) column(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return show(t)
}

// UTC writes the times of an export for programs.
func UTC(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// LocalTime writes the times of an export for spreadsheets, in a time zone.
func LocalTime(loc *time.Location) ExportTime {
	return func(t time.Time) string { return t.In(loc).Format(time.DateTime) }
}

// DeliveryExport is the export of the deliveries that list returns.
func DeliveryExport(f webhook.DeliveryFilter, show ExportTime, list func(context.Context, webhook.DeliveryFilter) (webhook.Page[webhook.DeliveryRow, webhook.DeliveryID], error)) Export {
	now := time.Now()
	f.Limit = ExportRows
	next := func(ctx context.Context) (rows [][]string, more bool, err error) {
		page, err := list(ctx, f)
		for _, d := range page.Rows {
			rows = append(rows, deliveryColumns(d, now, show))
		}
		f.Before = page.Next
		return rows, page.Next != 0, err
	}
	return Export{Name: "deliveries-" + now.UTC().Format(time.DateOnly), Columns: deliveryExport, Next: next}
}

func deliveryColumns(d webhook.DeliveryRow, now time.Time, show ExportTime) []string {
	status, duration, next := "", "", ""
	if d.Last.Status != 0 {
		status = strconv.Itoa(d.Last.Status)
	}
	if d.Completed > 0 {
		duration = strconv.FormatInt(d.Last.Duration.Milliseconds(), 10)
	}
	if d.State == webhook.Pending && !d.InFlight(now) {
		next = show.column(d.NextAt)
	}
	return []string{
		d.ID.String(), show.column(d.CreatedAt), d.BookingID, d.Platform, d.Type, d.Webhook.String(), d.WebhookName, string(d.State),
		strconv.Itoa(d.Attempts), status, string(d.Last.Failure), duration, next, show.column(d.Finished), strconv.FormatBool(d.Test), d.Event.String(),
	}
}

// EventExport is the export of the events that list returns.
func EventExport(f webhook.EventFilter, show ExportTime, list func(context.Context, webhook.EventFilter) (webhook.Page[webhook.EventRow, webhook.EventID], error)) Export {
	f.Limit = ExportRows
	next := func(ctx context.Context) (rows [][]string, more bool, err error) {
		page, err := list(ctx, f)
		for _, e := range page.Rows {
			rows = append(rows, eventColumns(e, show))
		}
		f.Before = page.Next
		return rows, page.Next != 0, err
	}
	return Export{Name: "events-" + time.Now().UTC().Format(time.DateOnly), Columns: eventExport, Next: next}
}

func eventColumns(e webhook.EventRow, show ExportTime) []string {
	sent := e.Sent()
	return []string{
		e.ID.String(), show.column(e.ReceivedAt), show.column(e.OccurredAt), e.BookingID, e.Platform, e.Type, e.ChannelID, strings.Join(e.TourIDs, " "),
		strconv.Itoa(sent), strconv.Itoa(len(e.Decisions) - sent), strconv.FormatBool(e.Test), e.ExternalID,
	}
}

// ReconciliationLists are the lists of a comparison, a page at a time: what is after a
// reference, or a key. The last page is not full.
type ReconciliationLists struct {
	Lacking func(ctx context.Context, after string) ([]webhook.LackingBooking, error)
	Unsent  func(ctx context.Context, after string) ([]webhook.HeldReference, error)
	Explain func(webhook.HeldReference) string // why one was not sent
}

// ReconciliationExport is the export of a comparison: what was sent and is lacking, then
// what is held and was never sent.
func ReconciliationExport(l ReconciliationLists, show ExportTime) Export {
	after, unsent := "", false
	next := func(ctx context.Context) (rows [][]string, more bool, err error) {
		if unsent {
			held, err := l.Unsent(ctx, after)
			for _, h := range held {
				after = h.Key
				rows = append(rows, unsentColumns(h, l.Explain))
			}
			return rows, len(held) == ExportRows, err
		}
		lacking, err := l.Lacking(ctx, after)
		for _, b := range lacking {
			after = b.Booking
			rows = append(rows, lackingColumns(b, show))
		}
		if len(lacking) < ExportRows {
			after, unsent = "", true
		}
		return rows, true, err
	}
	return Export{Name: "reconciliation-" + time.Now().UTC().Format(time.DateOnly), Columns: reconciliationExport, Next: next}
}

func lackingColumns(b webhook.LackingBooking, show ExportTime) []string {
	row := []string{"lacking", b.Booking, b.Booking, "", "", "", "", "", ""}
	if d := b.Delivery; d.ID != 0 {
		row[3], row[5], row[6], row[7], row[8] = string(d.State), d.Platform, d.Type, show.column(d.CreatedAt), d.ID.String()
	}
	return row
}

func unsentColumns(h webhook.HeldReference, explain func(webhook.HeldReference) string) []string {
	result := "never_came_in"
	if h.Outcome == webhook.HeldSkipped {
		result = "skipped"
	}
	return []string{result, h.Reference, h.Booking, "", explain(h), "", "", "", ""}
}
