package inbound

import (
	"bytes"
	"context"
	"net/http"
	"slices"

	"github.com/gofiber/fiber/v2"

	"bookhook/platforms"
	"bookhook/webhook"
)

// callInline calls the account's inline webhook about a booking that its platform
// asks about before it confirms it, and returns the answer; nil when none that is
// on matches. It calls each time: a platform that asks again did not get the first
// answer, or not in time.
func (ib *Inbound) callInline(ctx context.Context, account webhook.AccountID, in platforms.Inbound, e webhook.Event) (*webhook.InlineCall, error) {
	if in.Method != http.MethodPost || !ib.Platforms.Inline(e.Key()) {
		return nil, nil
	}
	all, err := ib.Store.Webhooks(ctx, account)
	if err != nil {
		return nil, err
	}
	matches := func(w *webhook.Webhook) bool {
		return w.Kind == webhook.Inline && webhook.Match(w, &e) == webhook.Matched
	}
	if !slices.ContainsFunc(all, matches) {
		return nil, nil
	}
	e.ExternalID, e.Lookup = "", false
	answer, err := ib.Dispatcher.CallInline(ctx, account, e)
	if err != nil {
		return nil, err
	}
	return &answer, nil
}

// refuseBooking answers the platform that the receiver does not accept the
// booking; any status but 200 does.
func refuseBooking(c *fiber.Ctx, text string) error {
	c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	return c.Status(http.StatusBadGateway).SendString(text)
}

// sendAnswer sends the platform what the receiver answered.
func sendAnswer(c *fiber.Ctx, answer *webhook.InlineCall) error {
	body := bytes.TrimSpace(answer.Attempt.ResponseBody)
	if len(body) > 0 {
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	}
	return c.Status(http.StatusOK).Send(body)
}
