package web

import (
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// OtherMethods refuses methods that no page supports, before the client is asked to
// sign in.
func OtherMethods(c *fiber.Ctx) error {
	switch c.Method() {
	case fiber.MethodGet, fiber.MethodHead, fiber.MethodPost:
		return c.Next()
	}
	return NoRoute(c)
}

// NoRoute returns 404 if there is nothing at the address, otherwise 405 with the
// methods that the address supports.
func NoRoute(c *fiber.Ctx) error {
	var allowed []string
	for _, r := range c.App().GetRoutes(true) {
		if !slices.Contains(allowed, r.Method) && fiber.RoutePatternMatch(c.Path(), r.Path, c.App().Config()) {
			allowed = append(allowed, r.Method)
		}
	}
	if len(allowed) == 0 {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderAllow, strings.Join(allowed, ", "))
	return fiber.ErrMethodNotAllowed
}

// Guarded registers routes behind a guard, for these routes only. The guard of a
// Fiber group would also run for routes that are registered later, and for
// addresses that do not exist.
type Guarded struct {
	Router fiber.Router
	Guard  fiber.Handler
}

// Get registers a handler for GET and HEAD.
func (g Guarded) Get(path string, handler fiber.Handler) { g.Router.Get(path, g.Guard, handler) }

// Post registers a handler for POST.
func (g Guarded) Post(path string, handler fiber.Handler) { g.Router.Post(path, g.Guard, handler) }
