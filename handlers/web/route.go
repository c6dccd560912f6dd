package web

import (
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// OtherMethods answers what no page takes, before anybody is asked to sign in
// for it.
func OtherMethods(c *fiber.Ctx) error {
	switch c.Method() {
	case fiber.MethodGet, fiber.MethodHead, fiber.MethodPost:
		return c.Next()
	}
	return NoRoute(c)
}

// NoRoute is 404 if there is nothing at the address, else 405 with the methods
// that there are.
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

// Guarded registers routes behind a guard of their own. A group would put the
// guard before whatever is registered later, and before what is not found.
type Guarded struct {
	Router fiber.Router
	Guard  fiber.Handler
}

// Get registers a handler for GET and HEAD.
func (g Guarded) Get(path string, handler fiber.Handler) { g.Router.Get(path, g.Guard, handler) }

// Post registers a handler for POST.
func (g Guarded) Post(path string, handler fiber.Handler) { g.Router.Post(path, g.Guard, handler) }
