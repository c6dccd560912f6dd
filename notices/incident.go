package notices

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"bookhook/auth"
	"bookhook/incidents"
	"bookhook/webhook"
)

// IncidentStore is what the letters about incidents need of the database.
type IncidentStore interface {
	NoticeSettings(ctx context.Context, user webhook.UserID) (incidents.Settings, error)
	Incident(ctx context.Context, account webhook.AccountID, id webhook.IncidentID) (incidents.Incident, error)
	Webhook(ctx context.Context, account webhook.AccountID, id webhook.WebhookID) (*webhook.Webhook, error)
	Backlog(ctx context.Context, account webhook.AccountID, id webhook.WebhookID) (webhook.Backlog, error)
	Undelivered(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, since, failed time.Time, most int) ([]string, error)
	LastFailure(ctx context.Context, account webhook.AccountID, id webhook.WebhookID) (webhook.DeliveryID, webhook.Outcome, error)
	FailedResponses(ctx context.Context, account webhook.AccountID, deliveries []webhook.DeliveryID) (map[webhook.DeliveryID]webhook.Attempt, error)
	DeliveredLate(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, from, until, delivered time.Time) (c webhook.Count, oldest time.Time, err error)
	Item(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind, id string) (webhook.Item, error)
}

// The pages that the links at the foot lead to. The token is in the query, which no log
// has.
const (
	NoticesPath = "/settings/notices"
	StopPath    = "/notices/stop"
)

// told is an incident that somebody is notified about.
type told struct {
	*Worker
	account webhook.Account // zero: of the instance
	incidents.Incident
}

func (w *Worker) told(ctx context.Context, i incidents.Incident) (t told, err error) {
	t = told{Worker: w, Incident: i}
	if i.Account != 0 {
		t.account, err = w.Store.Account(ctx, i.Account)
	}
	return t, err
}

// incident tells somebody about an incident. It returns webhook.ErrNotFound if a later
// message says more, or if the person does not want to know any more.
func (w *Worker) incident(ctx context.Context, m webhook.Mail, _ time.Time) (letter, error) {
	var about incidents.Mail
	if err := json.Unmarshal(m.Args, &about); err != nil {
		return letter{}, err
	}
	i, err := w.Store.Incident(ctx, m.Account, about.Incident)
	if err != nil {
		return letter{}, err
	}
	settings, err := w.Store.NoticeSettings(ctx, m.User)
	if err != nil {
		return letter{}, err
	}
	if about.Overtaken(i) || !settings.Wants(i.Kind) {
		return letter{}, webhook.ErrNotFound
	}
	t, err := w.told(ctx, i)
	if err != nil {
		return letter{}, err
	}
	l, err := t.write(ctx, about.End)
	if err != nil {
		return letter{}, err
	}
	switch {
	case about.Last:
		l.Small = append(l.Small, fmt.Sprintf("This is the last of %d messages within 24 hours. What else happens is listed under Settings, Notices.", incidents.MailsPerDay))
	case about.LastKind:
		l.Small = append(l.Small, fmt.Sprintf("This is the last of %d messages about silence within 24 hours. What else is silent is listed under Settings, Notices.", incidents.SilenceMailsPerDay))
	}
	l.Account, l.Small = t.account.Name, append(l.Small, t.why())
	l.Choose, l.Stop = w.BaseURL+NoticesPath, w.BaseURL+StopPath+"?token="+url.QueryEscape(auth.UnsubscribeToken(w.StopKey, m.User))
	return l, nil
}

// write returns what the letter says of the incident: that it is there, or that it is over.
func (t told) write(ctx context.Context, end bool) (letter, error) {
	switch {
	case t.Kind == incidents.Outage && end:
		return t.outageEnd(ctx)
	case t.Kind == incidents.Outage:
		return t.outage(ctx)
	case end:
		return t.end(ctx)
	}
	return t.begin(ctx)
}

func (t told) why() string {
	if t.account.ID == 0 {
		return "You get this as an administrator of " + t.BaseURL + "."
	}
	return "You get this because you belong to " + t.account.Name + " at " + t.BaseURL + "."
}

// at is a time as the letters say it.
func (t told) at(at time.Time) string { return moment(at, t.account) }

// begin tells of everything but an outage.
func (t told) begin(ctx context.Context) (letter, error) {
	d := t.Details
	switch t.Kind {
	case incidents.Certificate:
		return letter{
			Subject: "The certificate of " + d.Name + " expires soon",
			Text: []string{
				"The certificate of the receiver of " + d.Name + " expires on " + t.at(d.Ends) + ". From then on deliveries fail.",
				"Ask whoever runs the receiver to renew it.",
			},
			Button: button{"Open " + d.Name, t.webhookURL()},
		}, nil
	case incidents.Rejected:
		name := t.platformName()
		return letter{
			Subject: "Requests from " + name + " are rejected",
			Text: []string{
				"A request at your address for " + name + " was rejected, the last one on " + t.at(d.Since) + ". What it was about has not been sent to any webhook.",
				"The page shows each rejected request with the reason.",
			},
			Button: button{"View rejected requests", t.BaseURL + "/settings/rejected"},
		}, nil
	case incidents.Silence:
		source, err := t.source(ctx)
		return letter{
			Subject: "No events from " + source,
			Text: []string{
				fmt.Sprintf("Since %s no event has come from %s. Usually about %d have come by this time of the week.", t.at(d.Since), source, d.Usual),
				"Check that the platform still takes bookings, and that it calls the address of this Bookhook.",
			},
			Button: button{"View the platforms", t.BaseURL + "/settings/platforms"},
		}, err
	case incidents.Disk:
		return letter{
			Subject: "The disk of Bookhook is nearly full",
			Text: []string{
				fmt.Sprintf("Only %.1f GB are free on the disk with the database. When it is full, no event is accepted.", float64(d.Free)/1e9),
				"Delete something from the disk, or keep events for a shorter time (--retention).",
			},
			Button: button{"Open Bookhook", t.BaseURL},
		}, nil
	case incidents.Backup:
		return letter{
			Subject: "A backup of Bookhook is overdue",
			Text: []string{
				"The last backup is of " + t.at(d.Since) + ". Check why none was made since then. The command “bookhook backup FILE” makes one while Bookhook is running.",
			},
			Button: button{"Open Bookhook", t.BaseURL},
		}, nil
	}
	return letter{}, webhook.ErrNotFound
}

// end tells that everything but an outage is over.
func (t told) end(ctx context.Context) (letter, error) {
	lasted := "It began on " + t.at(t.OpenedAt) + " and ended on " + t.at(t.ClosedAt) + "."
	switch t.Kind {
	case incidents.Certificate:
		return letter{Subject: "The certificate of " + t.Details.Name + " was renewed", Text: []string{"Nothing is left to do."}, Button: button{"Open " + t.Details.Name, t.webhookURL()}}, nil
	case incidents.Rejected:
		text := "The last requests from " + t.platformName() + " could be read again."
		if t.Details.Outcome == incidents.Quiet {
			text = "For a day no more request from " + t.platformName() + " was rejected."
		}
		return letter{Subject: "Requests from " + t.platformName() + " are no longer rejected", Text: []string{text, lasted}, Button: button{"View rejected requests", t.BaseURL + "/settings/rejected"}}, nil
	case incidents.Silence:
		source, err := t.source(ctx)
		return letter{Subject: "Events from " + source + " are coming again", Text: []string{"Events are coming again, or none are usual at this time. " + lasted}, Button: button{"View the events", t.BaseURL + "/events"}}, err
	case incidents.Disk:
		return letter{Subject: "The disk of Bookhook has space again", Text: []string{lasted}, Button: button{"Open Bookhook", t.BaseURL}}, nil
	case incidents.Backup:
		return letter{Subject: "Bookhook was backed up again", Text: []string{lasted}, Button: button{"Open Bookhook", t.BaseURL}}, nil
	}
	return letter{}, webhook.ErrNotFound
}

func (t told) webhookURL() string { return t.BaseURL + "/webhooks/" + t.Subject }

func (t told) platformName() string {
	key, _ := t.Platform()
	if p, known := t.Names.Get(key); known {
		return p.Name
	}
	return key
}

// source names the platform that is silent, and the channel if it is only one.
func (t told) source(ctx context.Context) (string, error) {
	channel := webhook.Item{}
	_, id := t.Platform()
	if id != "" {
		var err error
		if channel, err = t.Store.Item(ctx, t.account.ID, webhook.Channels, id); err != nil && !errors.Is(err, webhook.ErrNotFound) {
			return "", err
		}
	}
	return t.Source(t.platformName(), channel.Name), nil
}
