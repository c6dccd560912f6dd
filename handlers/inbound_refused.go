package handlers

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"bookhook/webhook"
)

// keep puts what could not be read into the account's list.
func (a *app) keep(ctx context.Context, connection webhook.Connection, in webhook.Inbound, why webhook.Unreadable) error {
	return a.Store.KeepUnrecognised(ctx, webhook.Unrecognised{
		Account: connection.Account, Platform: connection.Platform, Method: in.Method,
		Query: strings.ToValidUTF8(in.Query, "\uFFFD"), ContentType: strings.ToValidUTF8(in.ContentType, "\uFFFD"),
		Body: in.Body, Status: why.Status, Message: why.Message,
	}, time.Now())
}

// plainAddress refuses an address that fasthttp cannot read: it has control
// characters, or the Host header is none. It would pass for that of the start
// page. What came so to an account's address is kept.
func (a *app) plainAddress(c *fiber.Ctx) error {
	if len(c.Request().URI().PathOriginal()) > 0 {
		return c.Next()
	}
	a.chunked.take(c)
	path, query, _ := strings.Cut(string(c.Request().Header.RequestURI()), "?")
	c.Path(path) // for the answer and the log
	if !strings.HasPrefix(path, inboundPath) {
		return &problem{
			Type: "about:blank", Title: http.StatusText(http.StatusBadRequest), Status: http.StatusBadRequest,
			Detail: "The address or the Host header has characters that they cannot have.",
		}
	}
	_, connection, err := a.addressed(c.UserContext(), path)
	if err != nil {
		return err
	}
	in := inbound(c, connection)
	in.Query, in.Body = query, c.BodyRaw()
	return a.refuse(c, connection, in, webhook.Unreadable{Status: http.StatusBadRequest, Message: "The address or the Host header of the request " +
		"has characters that they cannot have, so it could not be read. Check what stands between the platform and Bookhook."})
}

// keepRefused keeps a request to an account's address that was refused before
// its handler ran, without its body: too large a one, or a packed one. The
// answer is the same when the address is nobody's.
func (a *app) keepRefused(c *fiber.Ctx, p problem) {
	to, inChunks := a.chunked.take(c)
	if !inChunks {
		to = head{c.Path(), inbound(c, webhook.Connection{})}
	}
	early := p.Type != typeUnrecognised && (p.Status == http.StatusRequestEntityTooLarge || p.Status == http.StatusUnsupportedMediaType)
	if !early || !strings.HasPrefix(to.path, inboundPath) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout) // that of the request has ended
	defer cancel()
	_, connection, err := a.addressed(ctx, to.path)
	if errors.Is(err, fiber.ErrNotFound) {
		return
	}
	if err == nil {
		err = a.keep(ctx, connection, to.in, webhook.Unreadable{Status: p.Status, Message: p.Detail})
	}
	if err != nil {
		a.Log.Error("what a platform sent was refused and could not be kept", "path", a.loggedPath(to.path), "status", p.Status, "error", err)
	}
}

// chunked remembers the head of requests to the platforms' addresses of which the
// body comes in chunks. When that turns out too large, fasthttp forgets whose
// the request was.
type chunked struct {
	mu    sync.Mutex
	heads map[*fasthttp.RequestHeader]head
}

// head is what a request says before its body.
type head struct {
	path string
	in   webhook.Inbound
}

// maxChunked bounds what is remembered; beyond it the memory begins anew.
const maxChunked = 1000

// note is called when a header was read.
func (u *chunked) note(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
	path, query, _ := strings.Cut(string(header.RequestURI()), "?")
	if inChunks := header.ContentLength() == -1; !inChunks || !strings.HasPrefix(path, inboundPath) {
		return fasthttp.RequestConfig{}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.heads == nil || len(u.heads) >= maxChunked {
		u.heads = map[*fasthttp.RequestHeader]head{}
	}
	u.heads[header] = head{path, webhook.Inbound{Method: string(header.Method()), Query: query, ContentType: string(header.ContentType())}}
	return fasthttp.RequestConfig{}
}

// take forgets the head of a request and returns it.
func (u *chunked) take(c *fiber.Ctx) (head, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	found, ok := u.heads[&c.Request().Header]
	delete(u.heads, &c.Request().Header)
	return found, ok
}

// loggedPath is a path as it may stand in the log: an address is a secret.
func (a *app) loggedPath(path string) string {
	address, ok := strings.CutPrefix(path, inboundPath)
	if !ok {
		return path
	}
	key, _, _ := strings.Cut(address, "/")
	if _, known := a.Platforms.Get(key); !known {
		return inboundPath + "…"
	}
	return inboundPath + key + "/…"
}
