package handlers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/messages"
	"bookhook/webhook"
)

// HealthStore is what /healthz needs of the database. Ping writes nothing.
type HealthStore interface {
	Ping(ctx context.Context) error
}

// healthTimeout is how long the database may take to answer; less than the
// usual timeout of a health check.
const healthTimeout = 3 * time.Second

// showHealth answers 200 when the database answers and the dispatcher is alive.
func (a *app) showHealth(c *fiber.Ctx) error {
	if err := a.ping(c.UserContext()); err != nil && !errors.Is(err, webhook.ErrBusy) { // being busy is not a failure
		if down, ok := errors.AsType[webhook.Unavailable](err); ok {
			return web.Unavailable(messages.Text(down.Message), err)
		}
		return web.Unavailable("the database does not answer", err)
	}
	if !a.dispatcher.Alive() {
		return web.Unavailable("the dispatcher is not running", errors.New("dispatcher is not alive"))
	}
	return web.SendJSON(c, http.StatusOK, fiber.Map{"status": "ok", "version": a.version})
}

func (a *app) ping(ctx context.Context) error {
	answer := make(chan error, 1)
	go func() { answer <- a.health.Ping(ctx) }()
	select {
	case err := <-answer:
		return err
	case <-time.After(healthTimeout):
		return fmt.Errorf("no answer within %s", healthTimeout)
	}
}
