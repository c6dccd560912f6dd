package api

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/stats"
	"bookhook/webhook"
)

// StatsStore is what the API needs of the statistics.
type StatsStore interface {
	WebhookStats(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, p stats.Period, now time.Time) (*stats.Report, error)
	AccountStats(ctx context.Context, account webhook.AccountID, p stats.Period, now time.Time) (*stats.Report, error)
}

// ShowWebhookStats shows how the attempts of a webhook ended.
func (a *API) ShowWebhookStats(c *fiber.Ctx) error {
	id, err := web.IDParam[webhook.WebhookID](c)
	if err != nil {
		return err
	}
	return sendStats(c, func(p stats.Period) (*stats.Report, error) {
		return a.Store.WebhookStats(c.UserContext(), currentToken(c).Account, id, p, time.Now())
	})
}

// ShowStats shows how the attempts of all webhooks of the account ended.
func (a *API) ShowStats(c *fiber.Ctx) error {
	return sendStats(c, func(p stats.Period) (*stats.Report, error) {
		return a.Store.AccountStats(c.UserContext(), currentToken(c).Account, p, time.Now())
	})
}

func sendStats(c *fiber.Ctx, read func(stats.Period) (*stats.Report, error)) error {
	q := readParameters(c, "period")
	period := q.period("period")
	if err := q.problems.Err(); err != nil {
		return err
	}
	report, err := read(period)
	if err != nil {
		return err
	}
	return web.SendJSON(c, http.StatusOK, showReport(report))
}

// period reads the period of a report; the shortest if it is missing.
func (q *query) period(name string) stats.Period {
	value := stats.Period(q.values[name])
	switch {
	case value == "":
		return stats.Day
	case !value.Valid():
		q.wrong(name, "query.one_of", webhook.JoinText(stats.Periods, func(p stats.Period) string { return string(p) }))
	}
	return value
}

// reportJSON is what happened in a period.
type reportJSON struct {
	Buckets []bucketJSON              `json:"buckets"`
	Reasons map[webhook.Failure]int64 `json:"reasons"`
}

type bucketJSON struct {
	Start          time.Time `json:"start"`
	Delivered      int64     `json:"delivered"`
	FailedAttempts int64     `json:"failed_attempts"`
	GivenUp        int64     `json:"given_up"`
	P50            int64     `json:"p50_ms"`
	P95            int64     `json:"p95_ms"`
}

func showReport(r *stats.Report) reportJSON {
	shown := reportJSON{Buckets: make([]bucketJSON, len(r.Buckets)), Reasons: map[webhook.Failure]int64{}}
	for i := range r.Buckets {
		b := &r.Buckets[i]
		shown.Buckets[i] = bucketJSON{
			b.Start.UTC(), b.Delivered, b.FailedAttempts(), b.GivenUp, b.Durations.Quantile(.5).Milliseconds(), b.Durations.Quantile(.95).Milliseconds(),
		}
	}
	for reason, times := range r.Total.Failed {
		shown.Reasons[reason.Outcome().Failure] += times
	}
	return shown
}
