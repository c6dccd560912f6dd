package web

import (
	"time"

	"github.com/gofiber/fiber/v2"
)

// Limits of discarding a body that is too large.
const (
	drainPause = 500 * time.Millisecond // without another byte: the client has sent everything
	drainTime  = 20 * time.Second
)

// Drain reads and discards, for up to 20 seconds, the rest of a body that was
// refused as too large. Most clients send the whole request before they read the
// response, and would not get it if the connection were closed earlier.
func Drain(c *fiber.Ctx) {
	conn := c.Context().Conn()
	end := time.Now().Add(drainTime)
	rest := make([]byte, 32<<10)
	for now := time.Now(); now.Before(end); now = time.Now() {
		if conn.SetReadDeadline(now.Add(drainPause)) != nil {
			return
		}
		if _, err := conn.Read(rest); err != nil {
			return
		}
	}
}

// Unread reports whether the server refused the request before it was read to its
// end; then no middleware has run.
func Unread(c *fiber.Ctx) bool { return RequestID(c) == "" }
