package handlers

import (
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/views"
	"bookhook/webhook"
)

const (
	recentRows = 10 // deliveries on a webhook's page
	maxCounted = 20 // webhooks of a list that tells what waits for each
)

func webhookPath(id webhook.ID) string { return "/webhooks/" + id.Text(webhook.WebhookPrefix) }

func (a *app) listWebhooks(c *fiber.Ctx) error { return a.showWebhooks(c, http.StatusOK) }

func (a *app) showWebhooks(c *fiber.Ctx, status int) error {
	v := visiting(c)
	all, err := a.Store.Webhooks(c.UserContext(), v.Account.ID)
	if err != nil {
		return err
	}
	props := views.WebhooksProps{Used: used(all), Limit: v.Account.WebhookLimit}
	if props.Names, err = a.names(c.UserContext(), v.Account.ID, nil, toursOf(all)); err != nil {
		return err
	}
	for _, w := range all {
		row, err := a.webhookRow(c, w, len(all) <= maxCounted)
		if err != nil {
			return err
		}
		props.Rows = append(props.Rows, row)
	}
	if v.User.Role.CanConfigure() {
		if props.Drafts, err = a.begun(c, all); err != nil {
			return err
		}
	}
	if props.Page, err = a.page(c); err != nil {
		return err
	}
	return render(c, status, views.Webhooks(props))
}

func (a *app) webhookRow(c *fiber.Ctx, w *webhook.Webhook, counted bool) (row views.WebhookRow, err error) {
	counted = counted && w.Kind == webhook.Async
	row = views.WebhookRow{Webhook: w, Circuit: a.Dispatcher.Circuit(w.ID)}
	last, err := a.recent(c, w, 1)
	if len(last) > 0 {
		row.Last = &last[0].Delivery
	}
	if err == nil && counted {
		row.Backlog, err = a.Store.Backlog(c.UserContext(), w.Account, w.ID)
	}
	return row, err
}

// toursOf are the ids of the tours that the webhooks name.
func toursOf(webhooks []*webhook.Webhook) (ids []string) {
	for _, w := range webhooks {
		ids = append(ids, w.Tours.IDs...)
	}
	return ids
}

// used counts the webhooks that the account's limit is about.
func used(all []*webhook.Webhook) int {
	n := 0
	for _, w := range all {
		if w.Kind == webhook.Async {
			n++
		}
	}
	return n
}

// recent lists the newest deliveries of a webhook.
func (a *app) recent(c *fiber.Ctx, w *webhook.Webhook, limit int) ([]views.DeliveryRow, error) {
	found, err := a.Store.Deliveries(c.UserContext(), w.Account, webhook.DeliveryFilter{Webhook: w.ID, Limit: limit})
	return a.deliveryRows(found.Rows, hooks{live: []*webhook.Webhook{w}, names: map[webhook.ID]string{w.ID: w.Name}}), err
}

func (a *app) webhookParam(c *fiber.Ctx) (*webhook.Webhook, error) {
	id, err := refParam(c, webhook.WebhookPrefix)
	if err != nil {
		return nil, err
	}
	return a.Store.Webhook(c.UserContext(), visiting(c).Account.ID, id)
}

func (a *app) showWebhook(c *fiber.Ctx) error {
	w, err := a.webhookParam(c)
	if err != nil {
		return err
	}
	props := views.WebhookProps{Webhook: w, Grace: webhook.SecretOverlap, Circuit: a.Dispatcher.Circuit(w.ID)}
	if props.Names, err = a.names(c.UserContext(), w.Account, w.Channels.IDs, w.Tours.IDs); err != nil {
		return err
	}
	if props.Recent, err = a.recent(c, w, recentRows); err != nil {
		return err
	}
	if props.Backlog, err = a.Store.Backlog(c.UserContext(), w.Account, w.ID); err != nil {
		return err
	}
	if err := a.addSecret(c, &props); err != nil {
		return err
	}
	if props.Page, err = a.page(c); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Webhook(props))
}

// addSecret shows the secret if the visitor has just made it, this once.
func (a *app) addSecret(c *fiber.Ctx, props *views.WebhookProps) error {
	w := props.Webhook
	if w.OldSecret != "" && time.Now().Before(w.OldUntil) {
		props.OldUntil = w.OldUntil
	}
	s, err := a.session(c)
	if err != nil || s.Values[secretKey] != w.Ref() {
		return err
	}
	if unseen(c) {
		return fiber.ErrTooEarly
	}
	props.NewSecret, props.Rotated = w.Secret, w.OldSecret != ""
	delete(s.Values, secretKey)
	return a.saveSession(c, s)
}

// showSecret leads to the page of a webhook, which then shows its new secret.
func (a *app) showSecret(c *fiber.Ctx, id webhook.ID, message string) error {
	s, err := a.session(c)
	if err != nil {
		return err
	}
	s.Values[secretKey] = id.Text(webhook.WebhookPrefix)
	return a.done(c, webhookPath(id), message)
}

func (a *app) testWebhook(c *fiber.Ctx) error {
	w, err := a.webhookParam(c)
	if err != nil {
		return err
	}
	d, err := a.Dispatcher.Test(c.UserContext(), w.Account, w.ID, a.testEvent(w))
	if problems, err := invalid(err); err != nil {
		return err
	} else if len(problems) > 0 {
		return a.done(c, webhookPath(w.ID), problems["webhook"])
	}
	if a.Dispatcher.Circuit(w.ID).Open() {
		return a.done(c, deliveryPath(d.ID), asProbe("the test"))
	}
	if w.Kind == webhook.Inline {
		return a.done(c, deliveryPath(d.ID), "Your server is being asked about a test booking. The answer appears below.")
	}
	return a.done(c, deliveryPath(d.ID), "The test is on its way. The answer appears below.")
}

func (a *app) editWebhook(c *fiber.Ctx) error {
	w, err := a.webhookParam(c)
	if err != nil {
		return err
	}
	return a.beginDraft(c, webhook.EditDraft(w))
}

func (a *app) switchWebhook(c *fiber.Ctx) error {
	w, err := a.webhookParam(c)
	if err != nil {
		return err
	}
	on, err := readSwitch(c)
	if err != nil {
		return err
	}
	backlog, err := a.Store.Backlog(c.UserContext(), w.Account, w.ID)
	if err != nil {
		return err
	}
	before, err := a.Store.SetEnabled(c.UserContext(), w.Account, w.ID, on, visiting(c).User.Email, time.Now())
	if err != nil {
		return err
	}
	a.Dispatcher.Changed(w.ID)
	return a.done(c, webhookPath(w.ID), switchedText(before, on, backlog.Waiting))
}

func readSwitch(c *fiber.Ctx) (bool, error) {
	switch formValue(c, "enabled") {
	case "1":
		return true, nil
	case "0":
		return false, nil
	}
	return false, webhook.Invalid{"enabled": "Send 1 to switch it on, 0 to switch it off."}
}

// switchedText says what a switch means for the bookings.
func switchedText(before *webhook.Webhook, on bool, waiting int) string {
	switch {
	case before.Enabled == on && on:
		return "This webhook is on already."
	case before.Enabled == on:
		return "This webhook is off already."
	case before.Kind == webhook.Inline:
		return switchedInline(before, on)
	case !on:
		return "The webhook is off. New events are skipped, and deliveries that wait stay until you switch it on again."
	}
	text := "The webhook is on and is told of new events from now on."
	if before.Skipped > 0 {
		text += " " + number(before.Skipped, "event was", "events were") + " skipped while it was off; they were not stored for later."
	}
	if waiting > webhook.CountCap {
		text += " The deliveries that were waiting go out now."
	} else if waiting > 0 {
		text += " " + number(waiting, "delivery that was waiting goes", "deliveries that were waiting go") + " out now."
	}
	return text
}

func switchedInline(before *webhook.Webhook, on bool) string {
	if !on {
		return "The webhook is off. From now on bookings are confirmed without asking it."
	}
	text := "The webhook is on and is asked about bookings from now on."
	if before.Skipped > 0 {
		text += " " + number(before.Skipped, "booking was", "bookings were") + " not asked about while it was off."
	}
	return text
}

func (a *app) rotateSecret(c *fiber.Ctx) error {
	w, err := a.webhookParam(c)
	if err != nil {
		return err
	}
	if err := a.Store.RotateSecret(c.UserContext(), w.Account, w.ID, webhook.NewSecret(), visiting(c).User.Email, time.Now()); err != nil {
		return err
	}
	a.Dispatcher.Changed(w.ID)
	return a.showSecret(c, w.ID, "There is a new secret. Deliveries are signed with the old one too for the next 24 hours.")
}

func (a *app) deleteWebhook(c *fiber.Ctx) error {
	w, err := a.webhookParam(c)
	if err != nil {
		return err
	}
	cancelled, err := a.Store.DeleteWebhook(c.UserContext(), w.Account, w.ID, visiting(c).User.Email, time.Now())
	if err != nil {
		return err
	}
	a.Dispatcher.Changed(w.ID)
	text := "“" + w.Name + "” was deleted."
	if cancelled > 0 {
		text += " " + number(int(cancelled), "waiting delivery was", "waiting deliveries were") + " cancelled."
	}
	return a.done(c, "/webhooks", text+" The log of what was sent stays.")
}
