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

// callInline calls the account's inline webhook about a booking, before the platform
// confirms it, and returns the answer; nil if no webhook that is on matches. A
// repeated request calls it again: the platform did not get the first answer in
// time.
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
	e.ExternalID, e.SameIDs, e.Lookup = "", nil, false
	answer, err := ib.Dispatcher.CallInline(ctx, account, e)
	if err != nil {
		return nil, err
	}
	return &answer, nil
}

// refuseBooking tells the platform that the receiver does not accept the booking;
// any status but 200 means that.
func refuseBooking(c *fiber.Ctx, text string) error {
	c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	return c.Status(http.StatusBadGateway).SendString(text)
}

// sendAnswer passes the receiver's answer on to the platform.
func sendAnswer(c *fiber.Ctx, answer *webhook.InlineCall) error {
	body := bytes.TrimSpace(answer.Attempt.ResponseBody)
	if len(body) > 0 {
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	}
	return c.Status(http.StatusOK).Send(body)
}
