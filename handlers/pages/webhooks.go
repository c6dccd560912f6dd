package pages

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/stats"
	"bookhook/views"
	"bookhook/webhook"
)

// WebhookStore is what the pages need of the webhooks.
type WebhookStore interface {
	Webhooks(ctx context.Context, account webhook.AccountID) ([]*webhook.Webhook, error)
	Webhook(ctx context.Context, account webhook.AccountID, id webhook.WebhookID) (*webhook.Webhook, error)
	WebhookNames(ctx context.Context, account webhook.AccountID) (map[webhook.WebhookID]string, error)
	Backlog(ctx context.Context, account webhook.AccountID, id webhook.WebhookID) (webhook.Backlog, error)
	Attention(ctx context.Context, account webhook.AccountID) ([]*webhook.Webhook, error)
	LastFailure(ctx context.Context, account webhook.AccountID, id webhook.WebhookID) (webhook.DeliveryID, webhook.Outcome, error)
	RecentFailures(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, of int) (webhook.Failures, error)
	SetEnabled(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, enabled bool, change webhook.Change) (before *webhook.Webhook, err error)
	RetryOldest(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, change webhook.Change) (webhook.Delivery, error)
	RotateSecret(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, shown time.Time, secret string, change webhook.Change) error
	MarkSecretStored(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, shown time.Time, change webhook.Change) error
	DeleteWebhook(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, change webhook.Change) (cancelled int64, err error)
}

const (
	recentRows = 10 // deliveries on a webhook's page
	maxCounted = 20 // webhooks of a list that counts the waiting deliveries of each
)

func webhookPath(id webhook.WebhookID, tab views.WebhookTab) string {
	return "/webhooks/" + id.String() + string(tab)
}

// ListWebhooks shows the webhooks and the drafts that somebody changed.
func (pg *Pages) ListWebhooks(c *fiber.Ctx) error {
	return pg.showWebhooks(c, http.StatusOK, webhook.Message{})
}

// showWebhooks shows the webhooks and the drafts that somebody changed; if it says why
// no further draft can be started, the unchanged ones, too.
func (pg *Pages) showWebhooks(c *fiber.Ctx, status int, full webhook.Message) error {
	v := currentUser(c)
	all, err := pg.Store.Webhooks(c.UserContext(), v.Account.ID)
	if err != nil {
		return err
	}
	props := views.WebhooksProps{Used: webhook.CountAsync(all), Limit: v.Account.WebhookLimit, Support: pg.Server.Support(), Full: full}
	if props.Names, err = pg.names(c.UserContext(), v.Account.ID, nil, toursOf(all)); err != nil {
		return err
	}
	now := time.Now()
	lines, err := pg.Store.Sparklines(c.UserContext(), v.Account.ID, idsOf(all), now)
	if err != nil {
		return err
	}
	failed, err := pg.Store.GivenUp(c.UserContext(), v.Account.ID, 0, stats.Midnight(now, v.Account.Location()))
	if err != nil {
		return err
	}
	for _, w := range all {
		row, err := pg.webhookRow(c, w, len(all) <= maxCounted)
		if err != nil {
			return err
		}
		row.Days, row.Failed = lines[w.ID], failed[w.ID]
		props.Rows = append(props.Rows, row)
	}
	slices.SortFunc(props.Rows, func(a, b views.WebhookRow) int {
		return cmp.Or(attentionRank(a)-attentionRank(b), webhook.CompareNames(a.Webhook.Name, b.Webhook.Name), cmp.Compare(a.Webhook.ID, b.Webhook.ID))
	})
	if v.User.Role.CanConfigure() {
		if props.Drafts, err = pg.startedDrafts(c, all, !full.IsZero()); err != nil {
			return err
		}
	}
	if props.Page, err = pg.page(c); err != nil {
		return err
	}
	return render(c, status, views.Webhooks(props))
}

// attentionRank has the webhooks first that need attention.
func attentionRank(r views.WebhookRow) int {
	switch s := r.Status(); {
	case s.NeedsAttention():
		return 0
	case s == webhook.StatusUnreliable, r.Webhook.SkipsWhileOff():
		return 1
	case r.Failed.N > 0:
		return 2
	}
	return 3
}

func (pg *Pages) webhookRow(c *fiber.Ctx, w *webhook.Webhook, counted bool) (views.WebhookRow, error) {
	row := views.WebhookRow{Webhook: w}
	last, err := pg.recent(c, w, 1)
	if err != nil {
		return views.WebhookRow{}, err
	}
	if len(last) > 0 {
		row.Last = &last[0].Delivery
	}
	if row.Error, err = pg.lastFailure(c, w, row.Status()); err != nil {
		return row, err
	}
	if row.Failures, err = pg.failures(c, w); err != nil || !counted || w.Kind != webhook.Async {
		return row, err
	}
	row.Backlog, err = pg.Store.Backlog(c.UserContext(), w.Account, w.ID)
	return row, err
}

// lastFailure is that of a webhook which fails, if it is known.
func (pg *Pages) lastFailure(c *fiber.Ctx, w *webhook.Webhook, s webhook.Status) (webhook.Outcome, error) {
	if !w.Enabled || !s.NeedsAttention() {
		return webhook.Outcome{}, nil
	}
	_, o, err := pg.Store.LastFailure(c.UserContext(), w.Account, w.ID)
	if errors.Is(err, webhook.ErrNotFound) {
		return o, nil
	}
	return o, err
}

// failures are those of the newest deliveries; of more of them in an outage.
func (pg *Pages) failures(c *fiber.Ctx, w *webhook.Webhook) (webhook.Failures, error) {
	of := webhook.LatestCounted
	if w.Failing() {
		of = webhook.RecentCounted
	}
	return pg.Store.RecentFailures(c.UserContext(), w.Account, w.ID, of)
}

func idsOf(webhooks []*webhook.Webhook) (ids []webhook.WebhookID) {
	for _, w := range webhooks {
		ids = append(ids, w.ID)
	}
	return ids
}

// toursOf returns the ids of the tours that the webhooks select.
func toursOf(webhooks []*webhook.Webhook) (ids []string) {
	for _, w := range webhooks {
		ids = append(ids, w.Tours.IDs...)
	}
	return ids
}

// recent lists the newest deliveries of a webhook.
func (pg *Pages) recent(c *fiber.Ctx, w *webhook.Webhook, limit int) ([]views.DeliveryRow, error) {
	found, err := pg.Store.Deliveries(c.UserContext(), w.Account, webhook.DeliveryFilter{Webhook: w.ID, Limit: limit})
	if err != nil {
		return nil, err
	}
	return pg.refreshedRows(c, found.Rows, hooks{live: []*webhook.Webhook{w}, names: map[webhook.WebhookID]string{w.ID: w.Name}})
}

func (pg *Pages) webhookParam(c *fiber.Ctx) (*webhook.Webhook, error) {
	id, err := web.IDParam[webhook.WebhookID](c)
	if err != nil {
		return nil, err
	}
	return pg.Store.Webhook(c.UserContext(), currentUser(c).Account.ID, id)
}

// webhookProps returns what all tabs of a webhook's page show, but for the page, which is
// read last: it takes messages that are shown once.
func (pg *Pages) webhookProps(c *fiber.Ctx) (props views.WebhookProps, err error) {
	w, err := pg.webhookParam(c)
	if err != nil {
		return props, err
	}
	props = views.WebhookProps{Webhook: w, Grace: webhook.SecretOverlap}
	if props.Tests, err = pg.testTypes(c, w); err != nil {
		return props, err
	}
	newest, err := pg.Store.Deliveries(c.UserContext(), w.Account, webhook.DeliveryFilter{Webhook: w.ID, Limit: 1})
	if err != nil {
		return props, err
	}
	props.Used = len(newest.Rows) > 0
	failed, err := pg.Store.GivenUp(c.UserContext(), w.Account, w.ID, stats.Midnight(time.Now(), currentUser(c).Account.Location()))
	if err != nil {
		return props, err
	}
	props.FailedToday = failed[w.ID]
	props.Failures, err = pg.failures(c, w)
	return props, err
}

// ShowWebhook shows how a webhook is, and what it receives.
func (pg *Pages) ShowWebhook(c *fiber.Ctx) error {
	props, err := pg.webhookProps(c)
	if err != nil {
		return err
	}
	w := props.Webhook
	if props.Recent, err = pg.recent(c, w, recentRows); err != nil {
		return err
	}
	if props.Names, err = pg.names(c.UserContext(), w.Account, w.Channels.IDs, w.Tours.IDs); err != nil {
		return err
	}
	if props.Backlog, err = pg.Store.Backlog(c.UserContext(), w.Account, w.ID); err != nil {
		return err
	}
	if err := pg.addFailed(c, &props); err != nil {
		return err
	}
	if props.Error, err = pg.lastFailure(c, w, props.Status()); err != nil {
		return err
	}
	if props.Stats.Report, err = pg.webhookReport(c, w); err != nil {
		return err
	}
	if props.Page, err = pg.page(c); err != nil {
		return err
	}
	props.Stats.Page, props.Stats.Path = props.Page, c.Path()
	return render(c, http.StatusOK, views.Webhook(props))
}

// ShowWebhookDeliveries shows the log with the filter of a webhook, and further ones.
func (pg *Pages) ShowWebhookDeliveries(c *fiber.Ctx) error {
	props, err := pg.webhookProps(c)
	if err != nil {
		return err
	}
	w := props.Webhook
	h := hooks{live: []*webhook.Webhook{w}, names: map[webhook.WebhookID]string{w.ID: w.Name}}
	f := pg.newFilterReader(currentUser(c), func(name string) string {
		if name == "webhook_id" {
			return w.ID.String()
		}
		return c.Query(name)
	}).deliveries(h)
	list, err := pg.deliveryList(c, h, f)
	if err != nil {
		return err
	}
	if props.Page, err = pg.page(c); err != nil {
		return err
	}
	list.Webhook, list.Page = w.ID, props.Page
	return render(c, formStatus(f.problems), views.WebhookDeliveries(props, list))
}

// ShowWebhookSettings shows the settings of a webhook.
func (pg *Pages) ShowWebhookSettings(c *fiber.Ctx) error {
	return pg.showWebhookSettings(c, views.FallbackForm{})
}

func (pg *Pages) showWebhookSettings(c *fiber.Ctx, form views.FallbackForm) error {
	props, err := pg.webhookProps(c)
	if err != nil {
		return err
	}
	w := props.Webhook
	if err := pg.addFallback(c, w, &form); err != nil {
		return err
	}
	props.Fallback = form
	if props.Names, err = pg.names(c.UserContext(), w.Account, w.Channels.IDs, w.Tours.IDs); err != nil {
		return err
	}
	if props.Backlog, err = pg.Store.Backlog(c.UserContext(), w.Account, w.ID); err != nil {
		return err
	}
	if props.Preview, err = pg.preview(c.UserContext(), w.Account, w.Config); err != nil {
		return err
	}
	if props.Page, err = pg.page(c); err != nil {
		return err
	}
	return render(c, formStatus(form.Problems), views.WebhookSettings(props))
}

// TestWebhook sends a test event to a webhook, whatever its filters and also if it is
// off, and says what came of it. How often is limited.
func (pg *Pages) TestWebhook(c *fiber.Ctx) error {
	w, err := pg.webhookParam(c)
	if err != nil {
		return err
	}
	limited, err := pg.countCheck(c)
	if err != nil {
		return err
	}
	if !limited.IsZero() {
		return pg.done(c, webhookPath(w.ID, views.OverviewTab), limited)
	}
	e, known := pg.Platforms.TestEventOf(w, c.FormValue("type"), time.Now())
	if !known {
		return pg.done(c, webhookPath(w.ID, views.OverviewTab), webhook.NewMessage("test.type"))
	}
	d, err := pg.Dispatcher.Test(c.UserContext(), w.Account, w.ID, e)
	if err != nil {
		return err
	}
	return pg.showResult(c, d, deliveryPath(d.ID))
}

// testTypes are the events that a test of a webhook can be of: those that it receives.
func (pg *Pages) testTypes(c *fiber.Ctx, w *webhook.Webhook) ([]views.EventTypes, error) {
	all, err := pg.eventTypes(c.UserContext(), w.Account, "")
	if err != nil {
		return nil, err
	}
	for _, t := range all {
		for i, o := range t.Options {
			t.Options[i].Name = pg.eventShort(webhook.SplitEventKey(o.Value))
		}
	}
	if w.AllEvents { // which Bookhook's own are not
		return slices.DeleteFunc(all, func(t views.EventTypes) bool { return strings.HasPrefix(t.Options[0].Value, webhook.OwnPlatform+":") }), nil
	}
	var types []views.EventTypes
	for _, t := range all {
		t.Options = slices.DeleteFunc(t.Options, func(o views.Option) bool { return !slices.Contains(w.Events, o.Value) })
		if len(t.Options) > 0 {
			types = append(types, t)
		}
	}
	return types, nil
}

// EditWebhook starts a draft that changes a webhook.
func (pg *Pages) EditWebhook(c *fiber.Ctx) error {
	w, err := pg.webhookParam(c)
	if err != nil {
		return err
	}
	return pg.startDraft(c, webhook.EditDraft(w))
}

// SwitchWebhook switches a webhook on or off.
func (pg *Pages) SwitchWebhook(c *fiber.Ctx) error {
	w, err := pg.webhookParam(c)
	if err != nil {
		return err
	}
	on, err := readSwitch(c)
	if err != nil {
		return err
	}
	backlog, err := pg.Store.Backlog(c.UserContext(), w.Account, w.ID)
	if err != nil {
		return err
	}
	before, err := pg.Store.SetEnabled(c.UserContext(), w.Account, w.ID, on, currentUser(c).change())
	if err != nil {
		return err
	}
	since := views.Clock(before.OffAt, time.Now(), currentUser(c).Account.Location())
	return pg.done(c, webhookPath(w.ID, switchTab(c)), switchedMessages(before, on, backlog.Waiting, since)...)
}

// switchTab is the tab with the switch that was pressed.
func switchTab(c *fiber.Ctx) views.WebhookTab {
	if c.FormValue("tab") == string(views.SettingsTab) {
		return views.SettingsTab
	}
	return views.OverviewTab
}

// switchedMessages returns what switching a webhook on or off means for the bookings;
// since says since when it was off.
func switchedMessages(before *webhook.Webhook, on bool, waiting int, since string) []webhook.Message {
	switch {
	case before.Enabled == on && on:
		return []webhook.Message{webhook.NewMessage("webhook.on_already")}
	case before.Enabled == on:
		return []webhook.Message{webhook.NewMessage("webhook.off_already")}
	case before.Kind == webhook.Inline && !on:
		return []webhook.Message{webhook.NewMessage("webhook.inline_off")}
	case before.Kind == webhook.Inline:
		done := []webhook.Message{webhook.NewMessage("webhook.inline_on")}
		return append(done, counted(before.Skipped, "webhook.not_asked_one", "webhook.not_asked")...)
	case !on:
		return []webhook.Message{webhook.NewMessage("webhook.switched_off")}
	}
	done := []webhook.Message{webhook.NewMessage("webhook.switched_on")}
	done = append(done, counted(before.Skipped, "webhook.skipped_one", "webhook.skipped", since)...)
	if waiting > webhook.CountCap {
		return append(done, webhook.NewMessage("webhook.all_sent_now"))
	}
	return append(done, counted(waiting, "webhook.sent_now_one", "webhook.sent_now")...)
}

// counted returns a message about n things, with a code for one and for many, and further
// arguments; none if n is 0.
func counted(n int, one, many string, more ...any) []webhook.Message {
	switch n {
	case 0:
		return nil
	case 1:
		return []webhook.Message{webhook.NewMessage(one, more...)}
	}
	return []webhook.Message{webhook.NewMessage(many, append([]any{n}, more...)...)}
}

// DeleteWebhook deletes a webhook; its waiting deliveries are cancelled, and its log
// is kept.
func (pg *Pages) DeleteWebhook(c *fiber.Ctx) error {
	w, err := pg.webhookParam(c)
	if err != nil {
		return err
	}
	cancelled, err := pg.Store.DeleteWebhook(c.UserContext(), w.Account, w.ID, currentUser(c).change())
	if err != nil {
		return err
	}
	done := []webhook.Message{webhook.NewMessage("webhook.deleted", w.Name)}
	done = append(done, counted(int(cancelled), "webhook.cancelled_one", "webhook.cancelled")...)
	return pg.done(c, "/webhooks", done...)
}
