package pages

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/checklist"
	"bookhook/handlers/web"
	"bookhook/incidents"
	"bookhook/stats"
	"bookhook/views"
	"bookhook/webhook"
)

// HomeStore is what the overviews of an account and of the instance need of the
// database.
type HomeStore interface {
	Today(ctx context.Context, account webhook.AccountID, now time.Time) (stats.Today, error)
	AccountSparklines(ctx context.Context, accounts []webhook.Account, now time.Time) (map[webhook.AccountID]*stats.Sparkline, error)
	AccountsInNeed(ctx context.Context, limit int) ([]webhook.AccountUse, error)
	GivenUp(ctx context.Context, account webhook.AccountID, of webhook.WebhookID, since time.Time) (map[webhook.WebhookID]webhook.Count, error)
	RejectedSince(ctx context.Context, account webhook.AccountID, since time.Time) (int, error)
	Checklist(ctx context.Context, account webhook.AccountID) (checklist.Facts, error)
	HideChecklist(ctx context.Context, account webhook.AccountID, hidden bool, change webhook.Change) error
}

// Rows of the overviews; each has a sparkline, which is what takes the time.
const (
	homeWebhooks = 20
	homeAccounts = 20
)

// ShowHome shows whether the bookings of the account arrive, and what is left to do.
func (pg *Pages) ShowHome(c *fiber.Ctx) error {
	page, err := pg.page(c)
	if err != nil {
		return err
	}
	props := views.HomeProps{Page: page}
	ctx, account := c.UserContext(), page.Account.ID
	if props.Today, err = pg.Store.Today(ctx, account, page.Now); err != nil {
		return err
	}
	if err := pg.addHomeWebhooks(c, &props); err != nil {
		return err
	}
	if props.Platforms, err = pg.homePlatforms(c); err != nil {
		return err
	}
	if props.Silent, err = pg.silentSources(c); err != nil {
		return err
	}
	if props.Rejected, err = pg.Store.RejectedSince(ctx, account, props.Today.Since); err != nil {
		return err
	}
	if props.MailProblem, err = pg.mailProblem(c); err != nil {
		return err
	}
	if props.Checklist, err = pg.checklist(ctx, account, page.User.Role); err != nil {
		return err
	}
	if props.Checklist.Facts.Shown() {
		if props.ToursUnknown, err = pg.toursUnknown(ctx, account, anyPlatform); err != nil {
			return err
		}
	}
	return render(c, http.StatusOK, views.Home(props))
}

// addHomeWebhooks adds the webhooks, those that need attention first.
func (pg *Pages) addHomeWebhooks(c *fiber.Ctx, props *views.HomeProps) error {
	ctx, account := c.UserContext(), props.Page.Account.ID
	all, err := pg.Store.Webhooks(ctx, account)
	if err != nil {
		return err
	}
	if props.FailedToday, err = pg.Store.GivenUp(ctx, account, 0, props.Today.Since); err != nil {
		return err
	}
	props.FailedSince = stats.Midnight(props.Page.Now.Add(-failedWeek), props.Page.Account.Location())
	if props.Failed, err = pg.Store.GivenUp(ctx, account, 0, props.FailedSince); err != nil {
		return err
	}
	needs := func(w *webhook.Webhook) int {
		if w.Status(webhook.Activity{Used: true}).NeedsAttention() {
			return 0
		}
		if w.SkipsWhileOff() {
			return 1
		}
		if props.Failed[w.ID].N > 0 {
			return 2
		}
		return 3
	}
	slices.SortStableFunc(all, func(a, b *webhook.Webhook) int { return needs(a) - needs(b) })
	props.Webhooks = len(all)
	for _, w := range all {
		switch needs(w) {
		case 0:
			props.InNeed++
		case 1:
			props.Skipping++
		}
		if w.Enabled {
			props.On++
		}
	}
	var ids []webhook.WebhookID
	for _, w := range all[:min(len(all), homeWebhooks)] {
		row, err := pg.webhookRow(c, w, true)
		if err != nil {
			return err
		}
		row.Failed = props.FailedToday[w.ID]
		props.Rows, ids = append(props.Rows, row), append(ids, w.ID)
	}
	rest := props.Rows[min(props.InNeed+props.Skipping, len(props.Rows)):]
	slices.SortStableFunc(rest, func(a, b views.WebhookRow) int { return attentionRank(a) - attentionRank(b) })
	lines, err := pg.Store.Sparklines(ctx, account, ids, props.Page.Now)
	for i := range props.Rows {
		props.Rows[i].Days = lines[props.Rows[i].Webhook.ID]
	}
	return err
}

// homePlatforms returns the platforms that are on or were called. Only those who may
// change them see their addresses.
func (pg *Pages) homePlatforms(c *fiber.Ctx) ([]views.PlatformPanel, error) {
	connections, err := pg.Store.Connections(c.UserContext(), currentUser(c).Account.ID)
	if err != nil {
		return nil, err
	}
	var panels []views.PlatformPanel
	for _, p := range pg.Platforms.Connectable() {
		to := connectionTo(connections, p.Key)
		if to == nil || !to.Enabled && to.ReceivedAt.IsZero() {
			continue
		}
		panel := views.PlatformPanel{Key: p.Key, Name: p.Name, Connect: p.Connect, Connection: to}
		if currentUser(c).User.Role.CanConfigure() {
			panel.Address = pg.Server.BaseURL(c) + to.Path()
		}
		panels = append(panels, panel)
	}
	return panels, nil
}

// silentSources returns the platforms and channels of the account of whose silence people
// are notified.
func (pg *Pages) silentSources(c *fiber.Ctx) (sources []views.SilentSource, err error) {
	account := currentUser(c).Account.ID
	all, err := pg.Store.Incidents(c.UserContext(), account, time.Now(), shownIncidents)
	if err != nil {
		return nil, err
	}
	for _, i := range all {
		if i.Kind != incidents.Silence || !i.ClosedAt.IsZero() || !i.ClearedAt.IsZero() {
			continue
		}
		platform, channel := i.Platform()
		name, err := pg.sourceName(c.UserContext(), i, channel)
		if err != nil {
			return nil, err
		}
		sources = append(sources, views.SilentSource{
			Platform: platform, Channel: channel, Name: name, Whole: i.Subject == platform, Since: i.Began(), Usual: i.Details.Usual,
		})
	}
	return sources, nil
}

// sourceName is the name of a silent source, as the messages about it say it.
func (pg *Pages) sourceName(ctx context.Context, i incidents.Incident, channel string) (string, error) {
	item := webhook.Item{}
	if channel != "" {
		var err error
		if item, err = pg.Store.Item(ctx, i.Account, webhook.Channels, channel); err != nil && !errors.Is(err, webhook.ErrNotFound) {
			return "", err
		}
	}
	platform, _ := i.Platform()
	return i.Source(pg.platformName(platform), item.Name), nil
}

// checklist returns the first steps, and what a shown list says about them.
func (pg *Pages) checklist(ctx context.Context, account webhook.AccountID, role webhook.Role) (list views.ChecklistProps, err error) {
	if list.Facts, err = pg.Store.Checklist(ctx, account); err != nil {
		return list, err
	}
	list.Facts.MailSetUp, list.Facts.Admin = pg.Mailer != nil, role == webhook.RoleAdmin
	if !list.Facts.Shown() {
		return list, nil
	}
	if list.Facts.Event != 0 {
		row, err := pg.Store.Event(ctx, account, list.Facts.Event)
		if err != nil {
			return list, err
		}
		list.Event, list.EventName = row.Event, pg.eventName(row.Platform, row.Type)
		return list, nil
	}
	rejected, err := pg.Store.RejectedRequests(ctx, account, 0, 1)
	if len(rejected) > 0 {
		row := pg.rejectedRow(rejected[0])
		list.Rejected = &row
	}
	return list, err
}

// HideChecklist hides the checklist from the account's home, or shows it again.
func (pg *Pages) HideChecklist(c *fiber.Ctx) error {
	hidden := web.FormValue(c, "hidden") == "1"
	v := currentUser(c)
	if err := pg.Store.HideChecklist(c.UserContext(), v.Account.ID, hidden, v.change()); err != nil {
		return err
	}
	if hidden {
		return pg.done(c, "/", webhook.NewMessage("checklist.hidden"))
	}
	return pg.done(c, "/", webhook.NewMessage("checklist.shown"))
}

// ShowInstance shows how the accounts of the instance are doing: those that need
// attention, and all by number, page by page.
func (pg *Pages) ShowInstance(c *fiber.Ctx) error {
	page, err := pg.page(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	after, _ := strconv.ParseInt(c.Query("after"), 10, 64) // what is no number is the first page
	props := views.InstanceProps{Page: page, First: after <= 0}
	if props.Rows, err = pg.Store.AccountsAfter(ctx, after, homeAccounts+1); err != nil {
		return err
	}
	if len(props.Rows) > homeAccounts {
		props.Rows = props.Rows[:homeAccounts]
		props.After = props.Rows[homeAccounts-1].Number
	}
	if props.InNeed, err = pg.Store.AccountsInNeed(ctx, views.MaxInNeed); err != nil {
		return err
	}
	if props.First {
		if props.Replicas, err = pg.Store.Replicas(ctx); err != nil {
			return err
		}
		if props.Today, err = pg.Store.Today(ctx, 0, page.Now); err != nil {
			return err
		}
	}
	var accounts []webhook.Account
	for _, use := range slices.Concat(props.Rows, props.InNeed) {
		accounts = append(accounts, use.Account)
	}
	if props.Lines, err = pg.Store.AccountSparklines(ctx, accounts, page.Now); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Instance(props))
}
