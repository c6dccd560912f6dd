package web

import (
	"time"

	"github.com/gofiber/fiber/v2"
)

// Bounds of what is read of a body that is too large, only to be dropped.
const (
	drainPause = 500 * time.Millisecond // without another byte: the client has sent it all
	drainTime  = 20 * time.Second
)

// Drain reads what a client is still sending after its body was refused as too
// large, for up to 20 seconds. Most clients write a request to its end before
// they read the answer, and closing the connection before would take the answer
// from them.
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

// Unread reports whether the server refused the request before it was read to
// its end; then it went through no middleware.
func Unread(c *fiber.Ctx) bool { return RequestID(c) == "" }
