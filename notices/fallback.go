package notices

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"bookhook/auth"
	"bookhook/fallback"
	"bookhook/incidents"
	"bookhook/mail"
	"bookhook/webhook"
)

// FallbackStore is what the letters with the bookings of a failing webhook need of the
// database.
type FallbackStore interface {
	SetFallbackToken(ctx context.Context, mail webhook.MailID, hash []byte, expires time.Time) (fallback.Fallback, error)
	Fallback(ctx context.Context, account webhook.AccountID, id webhook.WebhookID) (fallback.Fallback, error)
	ListedDeliveries(ctx context.Context, account webhook.AccountID, m fallback.Mail, limit int) ([]webhook.Delivery, webhook.Count, error)
	CandidateEvents(ctx context.Context, account webhook.AccountID, f webhook.EventFilter, after webhook.EventID) (events []webhook.MissedEvent, more bool, err error)
	EventData(ctx context.Context, account webhook.AccountID, ids []webhook.EventID, do func(e webhook.Event) error) error
	AllItems(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind) ([]webhook.Item, error)
}

// The pages that the links of these letters lead to.
const (
	ConfirmFallbackPath = "/fallback/confirm"
	StopFallbackPath    = "/fallback/stop"
)

const listedLines = 10 // of the list, in the letter itself

const guestsNote = "The file has guests’ names and contact data. Delete it when you no longer need it."

// confirm asks who has an address whether bookings may go there. The message must be the
// last one that asks.
func (w *Worker) confirm(ctx context.Context, m webhook.Mail, now time.Time) (letter, error) {
	token, hash := auth.NewLinkToken()
	f, err := w.Store.SetFallbackToken(ctx, m.ID, hash, now.Add(fallback.Term))
	if err != nil {
		return letter{}, err
	}
	account, err := w.Store.Account(ctx, f.Account)
	if err != nil {
		return letter{}, err
	}
	hook, err := w.Store.Webhook(ctx, f.Account, f.Webhook)
	if err != nil {
		return letter{}, err
	}
	what := "The messages name bookings, tours and times, and no guests."
	if f.Guests {
		what = "The messages name bookings, tours and times, and the names and contact data of guests."
	}
	return letter{
		Subject: "Confirm that you get the bookings of " + hook.Name + " while it fails",
		Text: []string{
			fmt.Sprintf("%s of %s asks to send this address the bookings that %s cannot receive: once an hour while it fails, so that you can enter them by hand.", f.SetBy, account.Name, hook.Name),
			what,
		},
		Button: button{"View and confirm", w.BaseURL + ConfirmFallbackPath + "?token=" + token},
		Small: []string{
			fmt.Sprintf("The link works once, until %s. If it is too late, ask %s to send another one.", moment(f.ExpiresAt, account), f.SetBy),
			"If you did not expect this, do nothing: nothing is sent to you.",
		},
	}, nil
}

// fallback lists the bookings that a webhook has not received, or says in a last message
// what became of them. It returns webhook.ErrNotFound if there is nothing to list, or if
// nobody wants the list any more.
func (w *Worker) fallback(ctx context.Context, m webhook.Mail, now time.Time) (l letter, err error) {
	b := listing{told: told{Worker: w}, now: now}
	if err := json.Unmarshal(m.Args, &b.about); err != nil {
		return l, err
	}
	if b.account, err = w.Store.Account(ctx, m.Account); err != nil {
		return l, err
	}
	if b.Incident, err = w.Store.Incident(ctx, m.Account, b.about.Incident); err != nil {
		return l, err
	}
	b.about.Began = b.Began()
	if b.about.Last == "" {
		l, err = b.list(ctx, m.To)
	} else {
		l, err = b.last(ctx, m.To)
	}
	if b.about.Last == "" || b.about.Last == fallback.Over {
		l.Stop = w.BaseURL + StopFallbackPath + "?token=" + url.QueryEscape(auth.StopToken(w.StopKey, b.about.Webhook, m.To))
	}
	if len(b.rows) > 0 {
		l.File = b.file()
	}
	l.Small = append(l.Small, "You get this because this address was confirmed for bookings of "+b.account.Name+" that cannot be delivered.")
	return l, err
}

// list is a message with what no earlier one listed.
func (b *listing) list(ctx context.Context, to string) (l letter, err error) {
	f, err := b.Store.Fallback(ctx, b.account.ID, b.about.Webhook)
	if err != nil {
		return l, err
	}
	if f.ConfirmedAt.IsZero() || f.Address != to || !b.ClearedAt.IsZero() || !b.ClosedAt.IsZero() {
		return l, webhook.ErrNotFound
	}
	b.guests = f.Guests
	if b.hook, err = b.Store.Webhook(ctx, b.account.ID, b.about.Webhook); err != nil {
		return l, err
	}
	if b.hook.OffReason == webhook.OffByUser { // the outage ends with that, and a last message says so
		return l, webhook.ErrNotFound
	}
	if err := b.read(ctx); err != nil {
		return l, err
	}
	if len(b.rows) == 0 {
		return l, webhook.ErrNotFound
	}
	cause, err := b.cause(ctx)
	if err != nil {
		return l, err
	}
	others, err := b.others(ctx)
	if err != nil {
		return l, err
	}
	state := " is failing: "
	if b.off() {
		state = " is off: "
	}
	have := " have not arrived"
	if fallback.Bookings(b.rows) == 1 {
		have = " has not arrived"
	}
	l = letter{
		Subject: b.hook.Name + state + b.bookingCount() + have,
		Text: paragraphs(cause, "The attached file lists what has not arrived: "+b.number()+". Each message lists only what is new: these are not listed again. "+b.rest(),
			b.promise(), b.givenUp(f.Since.Before(b.about.From)), b.skips(), others),
		List:   b.lines(),
		Button: button{"View what has not arrived", b.deliveriesURL(webhook.Pending, time.Time{}, time.Time{})},
		Small:  []string{"The next message comes in an hour at the earliest, and only if there is something new. A last one says what has arrived. " + f.SetBy + " chose this address."},
	}
	if b.waiting == 0 {
		l.Button.URL = b.deliveriesURL(webhook.Failed, b.oldest, time.Time{})
	}
	if b.guests {
		l.Small = append(l.Small, guestsNote)
	}
	return l, nil
}

// paragraphs are those that say something.
func paragraphs(all ...string) (some []string) {
	for _, text := range all {
		if text = strings.TrimSpace(text); text != "" {
			some = append(some, text)
		}
	}
	return some
}

// off reports whether the webhook is off.
func (b *listing) off() bool {
	if b.hook == nil {
		return b.Details.Outcome == incidents.OffByPerson || b.Stage == incidents.SwitchedOff && b.ClosedAt.IsZero()
	}
	return !b.hook.Enabled
}

// cause says since when nothing arrives, and why.
func (b *listing) cause(ctx context.Context) (string, error) {
	reason, _, _, err := b.reason(ctx, b.hook) // what the receiver said may name a guest
	if b.off() {
		return b.hook.Name + " was switched off on " + b.at(b.hook.OffAt) + " after failures. " + reason, err
	}
	return b.hook.Name + " has accepted no delivery since " + b.at(b.Began()) + ". " + reason, err
}

// mark is what prevents that a booking is there twice.
const mark = " If you enter one by hand, mark it, so that nobody enters it twice and you find it when it arrives."

// promise says what becomes of what is waiting.
func (b *listing) promise() string {
	switch {
	case b.waiting == 0:
		return "Mark what you enter by hand, so that nobody enters it twice or sends it afterwards."
	case b.off():
		return capital(b.those(b.waiting)) + " will still be delivered by Bookhook, but only when somebody switches " + b.hook.Name + " on again." + mark
	}
	return capital(b.those(b.waiting)) + " will still be delivered by Bookhook as soon as " + b.hook.Name + " accepts deliveries again." + mark
}

// givenUp says what becomes of what has failed for good; later says that there were
// messages before.
func (b *listing) givenUp(later bool) string {
	if b.failed == 0 {
		return ""
	}
	text := capital(b.those(b.failed)) + " failed for good and will not be delivered unless somebody replays " + them(b.failed) + "."
	if later {
		text += " An earlier message may have listed " + them(b.failed) + " as waiting."
	}
	return text
}

// skips says what becomes of what was skipped, and of what comes in now.
func (b *listing) skips() string {
	if !b.off() {
		return ""
	}
	text := "While " + b.hook.Name + " is off, new bookings are skipped. The next messages list them."
	if b.skipped > 0 {
		was := " were"
		if b.skipped == 1 {
			was = " was"
		}
		text = capital(b.those(b.skipped)) + was + " skipped because " + b.hook.Name + " is off, and will not be delivered unless somebody sends " + them(b.skipped) + " when it is on again. " + text
	}
	return text
}

// others counts what is waiting and was listed before.
func (b *listing) others(ctx context.Context) (string, error) {
	backlog, err := b.Store.Backlog(ctx, b.account.ID, b.hook.ID)
	if err != nil || backlog.Waiting <= b.waiting || b.total() > len(b.rows) {
		return "", err
	}
	return "With those of earlier messages, " + number(backlog.Waiting, "delivery is", "deliveries are") + " waiting.", nil
}

// those begins a sentence about n of the events that are listed.
func (b *listing) those(n int) string {
	switch {
	case n == len(b.rows) && n == 1:
		return "it"
	case n == len(b.rows):
		return "all of them"
	}
	return fmt.Sprint(n) + " of them"
}

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

func them(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

// last says what became of what was listed. Guests' data are in it only if that is still
// what the address confirmed, so not if it was removed or the webhook was deleted.
func (b *listing) last(ctx context.Context, to string) (l letter, err error) {
	f, err := b.Store.Fallback(ctx, b.account.ID, b.about.Webhook)
	switch {
	case errors.Is(err, webhook.ErrNotFound):
	case err != nil:
		return l, err
	case f.Address == to && !f.StoppedAt.IsZero():
		return l, webhook.ErrNotFound
	case f.Address == to:
		b.guests = f.Guests && !f.ConfirmedAt.IsZero()
	}
	if err := b.read(ctx); err != nil {
		return l, err
	}
	l = b.ending()
	if len(b.rows) > 0 {
		l.Text = append(l.Text, "The attached file says what became of "+b.number()+" that the messages before listed: "+b.became()+". "+b.rest())
	}
	if b.delivered > 0 {
		l.Text = append(l.Text, "If you entered some of them by hand, check that what was delivered is not there twice.")
	}
	if b.waiting > 0 && !b.off() {
		l.Text = append(l.Text, "What is waiting will still be delivered by Bookhook.")
	}
	switch {
	case b.failed+b.cancelled == 0:
	case b.about.Last == fallback.Deleted:
		l.Text = append(l.Text, "What failed or was cancelled will not be delivered: enter it by hand.")
	default:
		l.Text = append(l.Text, "What failed or was cancelled will not be delivered by itself: enter it by hand, or ask somebody to replay it.")
	}
	if n := b.Details.Events; n > 0 && b.about.Last == fallback.Over {
		l.Text = append(l.Text, number(n, "event was", "events were")+" skipped while it was off, and not delivered unless somebody sent "+them(n)+".")
		l.Links = append(l.Links, button{"Send what was skipped", b.skippedURL(b.Began())})
	}
	l.Small = []string{"This is the last message about this failure."}
	if b.guests && len(b.rows) > 0 {
		l.Small = append(l.Small, guestsNote)
	}
	return l, nil
}

// ending is how a last message begins: why it is the last one.
func (b *listing) ending() letter {
	name := b.Details.Name
	open, failing := button{"View the deliveries", b.webhookURL() + "/deliveries"}, "It has accepted no delivery since "+b.at(b.Began())+"."
	switch {
	case b.about.Last == fallback.Deleted:
		return letter{Subject: name + " was deleted", Text: []string{failing + " What was waiting for it was cancelled."}}
	case b.about.Last == fallback.Removed:
		return letter{Subject: "Bookings of " + name + " no longer come here", Text: []string{"Somebody chose another address, or none, for the bookings of " + name + ". " + failing}}
	case b.off():
		return letter{
			Subject: name + " was switched off by somebody", Button: open,
			Text: []string{failing + " What is waiting will be delivered when it is switched on again. New bookings are skipped until then, and no message lists them; they can be sent afterwards."},
		}
	}
	return letter{
		Subject: name + " accepts bookings again", Button: open,
		Text: []string{fmt.Sprintf("It accepted no delivery from %s until %s (%s).", b.at(b.Began()), b.at(b.ClearedAt), lasted(b.ClearedAt.Sub(b.Began())))},
	}
}

// became counts what became of what was listed.
func (b *listing) became() string {
	var parts []string
	for _, part := range []struct {
		n    int
		text string
	}{{b.delivered, " delivered"}, {b.waiting, " waiting"}, {b.failed, " failed for good"}, {b.cancelled, " cancelled"}} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprint(part.n)+part.text)
		}
	}
	return strings.Join(parts, ", ")
}

func (b *listing) file() mail.File {
	name := "not-arrived-"
	if b.about.Last != "" {
		name = "what-became-"
	}
	return mail.File{Name: name + b.now.In(b.account.Location()).Format("2006-01-02-1504") + ".csv", Type: "text/csv; charset=utf-8", Content: b.content}
}
