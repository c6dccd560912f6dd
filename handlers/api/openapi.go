package api

import (
	_ "embed"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
)

// openAPI describes every operation of the API; a test of package handlers checks
// that the API agrees with it.
//
//go:embed openapi.json
var openAPI []byte

// ShowOpenAPI sends the description of the API.
func (a *API) ShowOpenAPI(c *fiber.Ctx) error {
	return web.SendBytes(c, fiber.MIMEApplicationJSON, openAPI)
}
