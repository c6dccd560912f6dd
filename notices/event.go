package notices

import (
	"context"
	"errors"
	"time"

	"bookhook/incidents"
	"bookhook/platforms/bookhook"
	"bookhook/webhook"
)

// event returns the event that says of an incident what its letter says. It has no type
// if there is nothing to say.
func (w *Worker) event(ctx context.Context, i incidents.Incident, now time.Time) (webhook.Event, error) {
	t, err := w.told(ctx, i)
	if err != nil {
		return webhook.Event{}, err
	}
	l, err := t.write(ctx, !i.ClosedAt.IsZero())
	if errors.Is(err, webhook.ErrNotFound) {
		return webhook.Event{}, nil
	}
	if err != nil {
		return webhook.Event{}, err
	}
	n := bookhook.Notice{
		Incident: string(i.Kind) + "/" + i.Subject, State: bookhook.Open, Summary: l.Subject, Text: l.Text, URL: l.Button.URL,
		OpenedAt: i.OpenedAt, ClosedAt: i.ClosedAt,
	}
	if !i.ClosedAt.IsZero() {
		n.State, n.Outcome = bookhook.Resolved, string(i.Details.Outcome)
	}
	if id := i.Webhook(); id != 0 {
		n.WebhookID, n.Webhook = id.String(), i.Details.Name
	}
	n.Platform, n.ChannelID = i.Platform()
	return n.Event(i.EventType(), now), nil
}
