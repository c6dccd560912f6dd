package handlers

import (
	_ "embed"

	"github.com/gofiber/fiber/v2"
)

// openAPI describes every operation of the API; a test holds the API to it.
//
//go:embed openapi.json
var openAPI []byte

func (a *app) showOpenAPI(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(openAPI)
}
