package inbound

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/platforms"
	"bookhook/webhook"
)

// store adds a request to the account's list of rejected requests.
func (ib *Inbound) store(ctx context.Context, connection webhook.Connection, in platforms.Inbound, why platforms.Rejected) error {
	return ib.Store.AddRejectedRequest(ctx, webhook.RejectedRequest{
		Account: connection.Account, Platform: connection.Platform, Method: in.Method,
		Query: strings.ToValidUTF8(in.Query, "\uFFFD"), ContentType: strings.ToValidUTF8(in.ContentType, "\uFFFD"),
		Body: in.Body, Status: why.Status, Why: why.Why,
	}, time.Now())
}

// rejectBody stores a request whose body is too large or compressed, without it, and
// returns err, which says so; or err alone.
func (ib *Inbound) rejectBody(c *fiber.Ctx, connection webhook.Connection, in platforms.Inbound, err error) error {
	p, _ := errors.AsType[*web.Problem](err)
	var why platforms.Rejected
	switch {
	case p != nil && p.Status == http.StatusRequestEntityTooLarge:
		why = platforms.Rejected{Status: p.Status, Why: webhook.NewMessage("request.too_large", web.MaxBody>>20)}
	case p != nil && p.Status == http.StatusUnsupportedMediaType:
		why = platforms.Rejected{Status: p.Status, Why: webhook.NewMessage("request.encoding")}
	default:
		return err
	}
	if err := ib.store(c.UserContext(), connection, in, why); err != nil {
		return err
	}
	ib.recordRejected(c, connection)
	return err
}

// LoggedPath returns a path for the log, without the token of an address, which is
// secret.
func (ib *Inbound) LoggedPath(path string) string {
	address, ok := strings.CutPrefix(path, Path)
	if !ok {
		return path
	}
	key, _, _ := strings.Cut(address, "/")
	if _, known := ib.Platforms.Connected(key); !known {
		return Path + "…"
	}
	return Path + key + "/…"
}
