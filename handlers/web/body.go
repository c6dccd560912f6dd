package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"bookhook/auth"
	"bookhook/webhook"
)

// Limits of a request body in bytes.
const (
	MaxBody     = 4 << 20  // where events or lists are sent
	MaxForm     = 64 << 10 // of a form
	MaxListForm = 2 << 20  // of a form with the filters of a webhook
	firstRead   = 4 << 10  // what is allocated before more has arrived
)

// body is the body of a request, which no handler sees before it was taken.
type body struct {
	stream io.Reader
	length int // announced bytes; -1: it is sent in chunks
	ended  bool
	sender sender // whose share of the budget has it
	size   int    // bytes of the budget
	cancel context.CancelFunc
}

const bodyKey = "body"

// holdBody takes the body away from the request, so that nothing is read before a
// handler takes it with [Server.TakeBody]. Afterwards it gives its memory back.
func (s *Server) holdBody(c *fiber.Ctx) error {
	stream := c.Context().RequestBodyStream()
	if stream == nil {
		return c.Next()
	}
	b := &body{stream: stream, length: c.Request().Header.ContentLength(), cancel: func() {}}
	b.ended = b.length == 0
	c.Request().SetBodyRaw(nil) // detaches the stream
	c.Locals(bodyKey, b)
	defer func() {
		b.cancel()
		s.bodies.giveBack(b.sender, b.size)
		setLinger(c, !b.ended)
		if !b.ended && b.length < 0 { // fasthttp closes the connection, but does not say so
			c.Context().SetConnectionClose()
		}
	}()
	return c.Next()
}

const accountKey = "account"

// Identify says whose request it is. It has to be called before its body is taken.
func Identify(c *fiber.Ctx, account webhook.AccountID) { c.Locals(accountKey, account) }

// Body is a guard that takes the body of at most limit bytes.
func (s *Server) Body(limit int) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if err := s.TakeBody(c, limit); err != nil {
			return err
		}
		return c.Next()
	}
}

// TakeBody receives the body of a request, for [BodyOf] and the functions that read
// forms and JSON. Memory is allocated as bytes arrive. The error is a [Problem]:
// status 413 if it has more than limit bytes, 415 if it is compressed (a small body
// can decompress to more than fits into memory), 503 if all bodies that are under
// way take too much memory, 400 or 408 if it does not arrive as announced.
func (s *Server) TakeBody(c *fiber.Ctx, limit int) error {
	b, ok := c.Locals(bodyKey).(*body)
	if !ok {
		return nil
	}
	if err := s.admit(c, b, limit); err != nil {
		return err
	}
	text, err := s.receive(b, limit)
	if err != nil {
		return err
	}
	c.Request().SetBodyRaw(text)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), RequestTimeout)
	c.SetUserContext(ctx) // the handler has its whole time, however long the body took
	b.cancel = cancel
	return nil
}

// admit refuses a body by its header, and finds out whose it is.
func (s *Server) admit(c *fiber.Ctx, b *body, limit int) error {
	for _, encoding := range c.Request().Header.PeekAll(fiber.HeaderContentEncoding) {
		if len(encoding) > 0 && !strings.EqualFold(string(encoding), "identity") {
			return Unsupported("Send the body as it is, without a Content-Encoding.")
		}
	}
	if b.length > limit {
		return tooLarge(limit)
	}
	if b.sender.account, _ = c.Locals(accountKey).(webhook.AccountID); b.sender.account == 0 {
		b.sender.network = auth.Network(s.ClientIP(c))
	}
	return nil
}

// receive reads a body to its end.
func (s *Server) receive(b *body, limit int) ([]byte, error) {
	most := limit + 1 // one more shows that it is too large
	if b.length >= 0 {
		most = b.length
	}
	var blocks [][]byte // each as large as all before it: nothing is copied before all has arrived
	size := 0
	for !b.ended {
		n := min(max(b.size, firstRead), most-b.size)
		if !s.bodies.take(b.sender, n) {
			return nil, busy()
		}
		b.size += n
		block, err := fill(b, make([]byte, 0, n))
		blocks, size = append(blocks, block), size+len(block)
		switch {
		case size > limit:
			return nil, tooLarge(limit)
		case err != nil, b.ended && size < b.length:
			return nil, unreadable(err)
		}
	}
	if len(blocks) == 1 {
		return blocks[0], nil
	}
	return bytes.Join(blocks, nil), nil
}

// fill reads until the block is full or the body ends.
func fill(b *body, block []byte) ([]byte, error) {
	for !b.ended && len(block) < cap(block) {
		n, err := b.stream.Read(block[len(block):cap(block)])
		block = block[:len(block)+n]
		if b.ended = errors.Is(err, io.EOF); err != nil && !b.ended {
			return block, err
		}
	}
	return block, nil
}

// BodyOf returns the body of a request after it was taken. It stays as it is.
func BodyOf(c *fiber.Ctx) []byte { return c.Request().Body() }

// tooLarge returns a 413.
func tooLarge(limit int) error {
	size := fmt.Sprintf("%d KiB", limit>>10)
	if limit >= 1<<20 {
		size = fmt.Sprintf("%d MiB", limit>>20)
	}
	return &Problem{
		Type: "about:blank", Title: http.StatusText(http.StatusRequestEntityTooLarge), Status: http.StatusRequestEntityTooLarge,
		Detail:  "A request body may have at most " + size + " here. Send less at once.",
		Meaning: "Nothing was changed, and no booking is affected.", Next: "Send at most " + size + " at once.",
	}
}

// busy returns a 503: the memory for bodies is spent.
func busy() error {
	return &Problem{
		Type: "busy", Title: "More is received than there is memory for right now", Status: http.StatusServiceUnavailable,
		Detail:  "Nothing of this request was stored. Send it again in a few seconds, and fewer large requests at once.",
		Meaning: "Nothing was changed, and no booking is affected.", Next: "Try again in a few seconds.",
	}
}

// unreadable returns the problem of a body that does not arrive as announced. No
// other request can follow on its connection.
func unreadable(err error) error {
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return fiber.ErrRequestTimeout
	}
	p := Malformed("The body does not arrive as its header announces it.")
	p.Cause = err
	return p
}

// lingering is a connection that can be told to send the rest of a body to nobody
// before it is closed; *accept.Conn is one.
type lingering interface{ SetLinger(linger bool) }

// setLinger says whether the client may still be sending a body that was refused.
// Most clients send the whole request before they read the response, and would not
// get it if the connection were closed earlier.
func setLinger(c *fiber.Ctx, linger bool) {
	if conn, ok := c.Context().Conn().(lingering); ok {
		conn.SetLinger(linger)
	}
}
