package api

import (
	_ "embed"

	"github.com/gofiber/fiber/v2"
)

// openAPI describes every operation of the API; a test of package handlers holds the API to it.
//
//go:embed openapi.json
var openAPI []byte

// ShowOpenAPI sends the description of the API.
func (a *API) ShowOpenAPI(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(openAPI)
}
