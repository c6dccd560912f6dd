package pages

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/stats"
	"bookhook/views"
	"bookhook/webhook"
)

// StatsStore is what the pages need of the statistics.
type StatsStore interface {
	WebhookStats(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, p stats.Period, now time.Time) (*stats.Report, error)
	AccountStats(ctx context.Context, account webhook.AccountID, p stats.Period, now time.Time) (*stats.Report, error)
	InstanceStats(ctx context.Context, p stats.Period, now time.Time) (*stats.Report, error)
	Sparklines(ctx context.Context, account webhook.AccountID, ids []webhook.WebhookID, now time.Time) (map[webhook.WebhookID]*stats.Sparkline, error)
}

// ShowStats shows what all webhooks of the account delivered.
func (pg *Pages) ShowStats(c *fiber.Ctx) error {
	report, err := readReport(c, func(p stats.Period) (*stats.Report, error) {
		return pg.Store.AccountStats(c.UserContext(), currentUser(c).Account.ID, p, time.Now())
	})
	if err != nil {
		return err
	}
	page, err := pg.page(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.AccountStats(views.StatsProps{Page: page, Report: report, Path: c.Path()}))
}

// ShowInstanceStats shows what the webhooks of all accounts delivered.
func (pg *Pages) ShowInstanceStats(c *fiber.Ctx) error {
	report, err := readReport(c, func(p stats.Period) (*stats.Report, error) {
		return pg.Store.InstanceStats(c.UserContext(), p, time.Now())
	})
	if err != nil {
		return err
	}
	page, err := pg.page(c)
	if err != nil {
		return err
	}
	page.Location = time.UTC
	return render(c, http.StatusOK, views.InstanceStats(views.StatsProps{Page: page, Report: report, Path: c.Path()}))
}

// webhookReport reads what a webhook delivered in the period of its page.
func (pg *Pages) webhookReport(c *fiber.Ctx, w *webhook.Webhook) (*stats.Report, error) {
	return readReport(c, func(p stats.Period) (*stats.Report, error) {
		return pg.Store.WebhookStats(c.UserContext(), w.Account, w.ID, p, time.Now())
	})
}

// readReport reads the report of the period in the address: without one, of a day.
func readReport(c *fiber.Ctx, read func(stats.Period) (*stats.Report, error)) (*stats.Report, error) {
	period := stats.Period(c.Query("period", string(stats.Day)))
	if !period.Valid() {
		return nil, &web.Problem{
			Type: "invalid", Title: "There is no such period", Status: http.StatusUnprocessableEntity,
			Meaning: "Statistics are of the last 24 hours, 7 days or 30 days.", Next: "Go back and choose one of these.",
		}
	}
	return read(period)
}
