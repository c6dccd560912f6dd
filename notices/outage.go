package notices

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"bookhook/incidents"
	"bookhook/messages"
	"bookhook/webhook"
)

// References of bookings in a letter, and how many deliveries are read for them.
const (
	namedBookings = 10
	readBookings  = 1000
)

// before is how long a delivery may have been waiting when its webhook began to fail.
const before = time.Hour

// outage tells that a webhook is failing, will be switched off, or was.
func (t told) outage(ctx context.Context) (letter, error) {
	w, err := t.Store.Webhook(ctx, t.account.ID, t.Webhook())
	if err != nil {
		return letter{}, err
	}
	l := letter{Button: button{"Open " + w.Name, t.webhookURL()}}
	waiting, err := t.Store.Backlog(ctx, t.account.ID, w.ID)
	if err != nil {
		return l, err
	}
	reason, said, fix, err := t.reason(ctx, w)
	if err != nil {
		return l, err
	}
	bookings, err := t.bookings(ctx, w)
	if err != nil {
		return l, err
	}
	switch t.Stage {
	case incidents.SwitchedOff:
		l.Subject = w.Name + " was switched off"
		why := "because every delivery had failed for five days"
		if w.OffReason == webhook.OffGone {
			why = "because the receiver answered 410 Gone"
		}
		l.Text = []string{"Bookhook switched " + w.Name + " off on " + t.at(w.OffAt) + ", " + why + ". It receives no bookings until somebody switches it on again; its page then offers to send what it missed."}
	case incidents.SwitchOffNear:
		l.Subject = w.Name + " will be switched off on " + w.SwitchOffAt().In(t.account.Location()).Format("2 January, 15:04")
		l.Text = []string{w.Name + " has accepted no delivery since " + t.at(w.FailingSince) + ". Unless it accepts a delivery before " + t.at(w.SwitchOffAt()) + ", Bookhook switches it off."}
	default:
		l.Subject = w.Name + " is failing"
		l.Text = []string{w.Name + " has accepted no delivery since " + t.at(t.Details.Since) + "."}
	}
	l.Text = append(l.Text, reason+said)
	if waiting.Waiting > 0 {
		l.Text = append(l.Text, number(waiting.Waiting, "delivery is", "deliveries are")+" waiting. Bookhook sends them by itself once "+w.Name+" accepts again.")
		l.Links = append(l.Links, button{"View what is waiting", t.deliveriesURL(webhook.Pending, time.Time{}, time.Time{})})
	} else {
		l.Links = append(l.Links, button{"View what has failed", t.deliveriesURL(webhook.Failed, t.Began().Add(-before), time.Time{})})
	}
	if bookings != "" {
		l.Text = append(l.Text, bookings)
	}
	l.Text = append(l.Text, fix)
	return l, nil
}

// reason says in the words of the pages why the last attempt failed, with what the
// receiver itself said, and what can be done.
func (t told) reason(ctx context.Context, w *webhook.Webhook) (reason, said, fix string, err error) {
	delivery, outcome, err := t.Store.LastFailure(ctx, t.account.ID, w.ID)
	if errors.Is(err, webhook.ErrNotFound) {
		return "", "", "", nil
	}
	if err != nil {
		return "", "", "", err
	}
	reason, fix = messages.OutcomeText(outcome, w.Name), messages.Fix(outcome, w.Name)
	responses, err := t.Store.FailedResponses(ctx, t.account.ID, []webhook.DeliveryID{delivery})
	if text := webhook.ReceiverMessage(responses[delivery]); text != "" {
		said = " It said: “" + text + "”."
	}
	return reason, said, fix, err
}

// bookings names those that have not arrived.
func (t told) bookings(ctx context.Context, w *webhook.Webhook) (string, error) {
	all, err := t.Store.Undelivered(ctx, t.account.ID, w.ID, t.Began().Add(-before), t.Began(), readBookings)
	if err != nil || len(all) == 0 {
		return "", err
	}
	text := "Bookings that have not arrived: " + strings.Join(all[:min(len(all), namedBookings)], ", ")
	if more := len(all) - namedBookings; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text + ".", nil
}

// outageEnd tells how an outage ended.
func (t told) outageEnd(ctx context.Context) (letter, error) {
	name, d := t.Details.Name, t.Details
	since := t.Began()
	l := letter{Button: button{"Open " + name, t.webhookURL()}}
	outage := fmt.Sprintf("It accepted no delivery from %s until %s (%s).", t.at(since), t.at(t.ClearedAt), lasted(t.ClearedAt.Sub(since)))
	switch d.Outcome {
	case incidents.Deleted:
		l.Subject, l.Text, l.Button = name+" was deleted", []string{"It had accepted no delivery since " + t.at(since) + ". What was waiting for it was cancelled."}, button{"Open Bookhook", t.BaseURL}
		return l, nil
	case incidents.OffByPerson:
		history := "It had accepted no delivery since " + t.at(since) + "."
		if t.ClearedAt.Before(t.ClosedAt) {
			history = outage + " Then it accepted deliveries again."
		}
		l.Subject, l.Text = name+" was switched off by somebody", []string{history + " It receives no bookings until it is switched on again."}
		return l, nil
	case incidents.SwitchedOn:
		l.Subject, l.Text = name+" is on again", []string{outage}
	default:
		l.Subject, l.Text = name+" accepts bookings again", []string{outage}
	}
	late, oldest, err := t.Store.DeliveredLate(ctx, t.account.ID, t.Webhook(), since.Add(-before), t.ClosedAt, since) // an earlier outage may have ended shortly before
	if err != nil {
		return l, err
	}
	waiting, err := t.Store.Backlog(ctx, t.account.ID, t.Webhook())
	if err != nil {
		return l, err
	}
	if late.N > 0 {
		l.Text = append(l.Text, number(late.N, "delivery has", "deliveries have")+" arrived late.")
		l.Links = append(l.Links, button{"View what arrived", t.deliveriesURL(webhook.Delivered, oldest, t.ClearedAt)})
	}
	if waiting.Waiting > 0 {
		l.Text = append(l.Text, number(waiting.Waiting, "delivery is", "deliveries are")+" still waiting; they are being sent.")
	}
	if d.Events > 0 {
		l.Text = append(l.Text, number(d.Events, "event was", "events were")+" skipped while it was off. Bookhook does not send what was skipped by itself; you can.")
		l.Links = append(l.Links, button{"Send what was skipped", t.skippedURL(since)})
	}
	return l, nil
}

// deliveriesURL is the log of the webhook's deliveries in a state that were created between
// two times, to the minute; zero: at any time.
func (t told) deliveriesURL(state webhook.State, since, until time.Time) string {
	q := url.Values{"state": {string(state)}, "webhook_id": {t.Subject}}
	for name, at := range map[string]time.Time{"since": since, "until": until} {
		if !at.IsZero() {
			q.Set(name, at.In(t.account.Location()).Format("2006-01-02T15:04"))
		}
	}
	return t.BaseURL + "/deliveries?" + q.Encode()
}

// skippedURL is the form that sends what the webhook did not get while it was off.
func (t told) skippedURL(since time.Time) string {
	day := func(at time.Time) string { return at.In(t.account.Location()).Format(time.DateOnly) }
	return t.BaseURL + "/replays/new?" + url.Values{"events": {"1"}, "skipped": {"off"}, "webhook_id": {t.Subject}, "since": {day(since)}, "until": {day(t.ClosedAt)}}.Encode()
}

// number is a number with its noun.
func number(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// lasted is a duration in words, to the minute or the hour.
func lasted(d time.Duration) string {
	minutes, hours, days := int(d.Minutes()), int(d.Hours()), int(d.Hours()/24)
	switch {
	case hours == 0:
		return number(max(minutes, 1), "minute", "minutes")
	case days < 2:
		return number(hours, "hour", "hours") + " " + number(minutes-60*hours, "minute", "minutes")
	}
	return number(days, "day", "days") + " " + number(hours-24*days, "hour", "hours")
}
