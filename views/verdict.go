package views

import (
	"maps"
	"slices"
	"strings"
	"time"

	"bookhook/messages"
	"bookhook/webhook"
)

// verdict answers whether bookings arrive, in a sentence.
type verdict struct{ tone, icon, text string }

// lateAfter is how long a delivery may be waiting until the verdict mentions it.
const lateAfter = 5 * 60e9

func (p HomeProps) verdict() verdict {
	waiting := p.Today.Waiting
	switch {
	case p.InNeed == 1:
		return verdict{"bad", "alert", p.Rows[0].failure(p.Page) + waitingClause(p.Rows[0].Backlog.Waiting) + "."}
	case p.InNeed > 1:
		return verdict{"bad", "alert", number(p.InNeed) + " webhooks are not receiving bookings" + waitingClause(waiting) + "."}
	case len(p.Silent) == 1:
		return verdict{"warn", "alert", p.silentText(p.Silent[0]) + "."}
	case len(p.Silent) > 1:
		return verdict{"warn", "alert", "Nothing from " + number(len(p.Silent)) + " sources that usually send bookings by now."}
	case p.Webhooks == 0 && p.Checklist.Facts.Event == 0:
		return verdict{"idle", "clock", "No booking has arrived yet."}
	case p.Webhooks == 0:
		return verdict{"warn", "alert", "Bookings arrive, but there is no webhook to send them on."}
	case p.On == 0:
		return verdict{"warn", "off", "Bookings are sent nowhere: every webhook is off."}
	case p.Checklist.Facts.Event == 0:
		return verdict{"idle", "clock", "Waiting for the first booking."}
	case p.Skipping > 0:
		return verdict{"warn", "off", "Bookings are arriving, but not at " + p.skipping() + "."}
	case p.unreliable() != "":
		return verdict{"warn", "alert", "Bookings are arriving, but not all at " + p.unreliable() + "."}
	case waiting > 0 && (p.Page.Now.Sub(p.Today.OldestWaiting) > lateAfter || p.troubled()):
		return verdict{"warn", "clock", "Bookings are arriving" + waitingClause(waiting) + p.waitingFor() + "."}
	case len(p.Failed) > 0:
		return verdict{"warn", "alert", "Bookings are arriving, but " + p.failed() + "."}
	case p.Rejected > 0:
		return verdict{"warn", "alert", "Bookings are arriving, but " + count(p.Rejected, false, "request", "requests") + " could not be read today."}
	}
	switch t := p.Today; {
	case t.Unsent > 0 && t.Unsent == t.Decided:
		return verdict{"idle", "clock", "Today’s bookings are sent to no webhook."}
	case t.Unsent > 0:
		return verdict{"ok", "check", "Bookings are arriving."}
	}
	return verdict{"ok", "check", "All bookings are arriving."}
}

// SilentSource is a platform or a channel from which nothing comes although something
// usually does by now.
type SilentSource struct {
	Platform, Channel string    // its key, and the id of the channel
	Name              string    // of the source, for people
	Whole             bool      // the platform with all its channels
	Since             time.Time // nothing has come since then
	Usual             int64     // events that usually come from then on until now
}

func (p HomeProps) silentText(s SilentSource) string {
	text := "Nothing from " + truncate(s.Name) + " since " + clock(s.Since, p.Page.Now, p.Page.loc())
	if s.Usual > 0 {
		text += "; usually about " + count(int(s.Usual), false, "event", "events") + " by now"
	}
	return text
}

// troubled reports whether the last attempt of a webhook has failed, which is no alarm yet.
func (p HomeProps) troubled() bool {
	return slices.ContainsFunc(p.Rows, func(r WebhookRow) bool { return r.Webhook.Enabled && !r.Webhook.FailingSince.IsZero() })
}

// waitingFor names the webhook for which everything is waiting, if it is one.
func (p HomeProps) waitingFor() string {
	for _, r := range p.Rows {
		if r.Backlog.Waiting == p.Today.Waiting && r.Backlog.Waiting <= webhook.CountCap {
			return " for " + receiverName(r.Webhook)
		}
	}
	return ""
}

// skipping names the webhooks that a person switched off and that skip bookings.
func (p HomeProps) skipping() string {
	if p.Skipping == 1 && p.InNeed < len(p.Rows) {
		return receiverName(p.Rows[p.InNeed].Webhook) + ", which is off"
	}
	return count(p.Skipping, false, "webhook that is off", "webhooks that are off")
}

// unreliable names the webhooks that accept only some bookings.
func (p HomeProps) unreliable() string {
	var names []string
	for _, r := range p.unreliableRows() {
		names = append(names, receiverName(r.Webhook))
	}
	if len(names) > 2 {
		return number(len(names)) + " webhooks"
	}
	return strings.Join(names, " and ")
}

func (p HomeProps) unreliableRows() (rows []WebhookRow) {
	for _, r := range p.Rows {
		if r.Status() == webhook.StatusUnreliable {
			rows = append(rows, r)
		}
	}
	return rows
}

// failed is a clause about the deliveries that failed for good, and of which webhook they are
// if they are of one.
func (p HomeProps) failed() string {
	to := ""
	for id := range p.Failed {
		if row := p.row(id); row != nil && len(p.Failed) == 1 {
			to = " to " + receiverName(row.Webhook)
		}
	}
	return p.failedText(sumOf(p.Failed), sumOf(p.FailedToday), to)
}

func sumOf(counts map[webhook.WebhookID]webhook.Count) (all webhook.Count) {
	for _, c := range counts {
		all = webhook.Count{N: all.N + c.N, More: all.More || c.More}
	}
	return all
}

// failedText is a clause about deliveries, some of which failed today.
func (p HomeProps) failedText(all, today webhook.Count, to string) string {
	text := counted(all, "delivery", "deliveries") + to + " failed "
	if all == today {
		return text + "today"
	}
	return text + "since " + p.FailedSince.In(p.Page.loc()).Format("2 Jan")
}

// row is that of a webhook; nil if it is not shown.
func (p HomeProps) row(id webhook.WebhookID) *WebhookRow {
	i := slices.IndexFunc(p.Rows, func(r WebhookRow) bool { return r.Webhook.ID == id })
	if i < 0 {
		return nil
	}
	return &p.Rows[i]
}

// elsewhere are the counts of webhooks without a row.
func (p HomeProps) elsewhere(counts map[webhook.WebhookID]webhook.Count) webhook.Count {
	others := maps.Clone(counts)
	maps.DeleteFunc(others, func(id webhook.WebhookID, _ webhook.Count) bool { return p.row(id) != nil })
	return sumOf(others)
}

func waitingClause(waiting int) string {
	if waiting == 0 {
		return ""
	}
	return "; " + countWaiting(waiting, "delivery is", "deliveries are") + " waiting"
}

// failure says in a clause how a webhook that needs attention is doing.
func (r WebhookRow) failure(p Page) string {
	name := messages.AtStart(receiverName(r.Webhook))
	if !r.Webhook.Enabled {
		return name + " was switched off by Bookhook"
	}
	return name + " has been failing since " + clock(r.Webhook.FailingSince, p.Now, p.loc())
}
