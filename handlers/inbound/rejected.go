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

// store adds what could not be read to the account's list of rejected requests.
func (ib *Inbound) store(ctx context.Context, connection webhook.Connection, in platforms.Inbound, why platforms.Rejected) error {
	return ib.Store.AddRejectedRequest(ctx, webhook.RejectedRequest{
		Account: connection.Account, Platform: connection.Platform, Method: in.Method,
		Query: strings.ToValidUTF8(in.Query, "\uFFFD"), ContentType: strings.ToValidUTF8(in.ContentType, "\uFFFD"),
		Body: in.Body, Status: why.Status, Why: why.Why,
	}, time.Now())
}

// ReceiveUnreadable stores a request to an account's address whose address cannot
// be read: it has control characters, or the Host header is invalid. query is the
// query as it came.
func (ib *Inbound) ReceiveUnreadable(c *fiber.Ctx, query string) error {
	_, connection, err := ib.connection(c.UserContext(), c.Path())
	if err != nil {
		return err
	}
	in := readInbound(c, connection)
	in.Query, in.Body = query, c.BodyRaw()
	return ib.reject(c, connection, in, platforms.Rejected{Status: http.StatusBadRequest, Why: webhook.NewMessage("request.address")})
}

// ShowError sends a problem document. A request to an account's address that was
// refused before its handler ran (its body is too large, or packed) is stored
// without its body; the answer is the same when there is no such address.
func (ib *Inbound) ShowError(c *fiber.Ctx, p *web.Problem, head web.Head) error {
	if why, early := rejectedEarly(p); early {
		if err := ib.storeHead(head, why); err != nil {
			ib.Log.Error("a request of a platform was refused and could not be stored", "path", ib.LoggedPath(head.Path), "status", p.Status, "error", err)
		}
	}
	return web.SendProblem(c, p)
}

// rejectedEarly says why a request was refused before its handler ran.
func rejectedEarly(p *web.Problem) (platforms.Rejected, bool) {
	switch {
	case p.Type == typeRejected:
		return platforms.Rejected{}, false
	case p.Status == http.StatusRequestEntityTooLarge:
		return platforms.Rejected{Status: p.Status, Why: webhook.NewMessage("request.too_large", web.MaxBody>>20)}, true
	case p.Status == http.StatusUnsupportedMediaType:
		return platforms.Rejected{Status: p.Status, Why: webhook.NewMessage("request.encoding")}, true
	}
	return platforms.Rejected{}, false
}

// storeHead stores the head of a request that was refused before its handler ran,
// if its address is an account's.
func (ib *Inbound) storeHead(head web.Head, why platforms.Rejected) error {
	ctx, cancel := context.WithTimeout(context.Background(), web.RequestTimeout) // that of the request has ended
	defer cancel()
	_, connection, err := ib.connection(ctx, head.Path)
	if errors.Is(err, fiber.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	in := platforms.Inbound{Method: head.Method, Query: head.Query, ContentType: head.ContentType}
	return ib.store(ctx, connection, in, why)
}

// LoggedPath is a path as it may be logged: the token in an address is a secret.
func (ib *Inbound) LoggedPath(path string) string {
	address, ok := strings.CutPrefix(path, Path)
	if !ok {
		return path
	}
	key, _, _ := strings.Cut(address, "/")
	if _, known := ib.Platforms.Get(key); !known {
		return Path + "…"
	}
	return Path + key + "/…"
}
