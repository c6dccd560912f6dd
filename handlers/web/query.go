package web

import (
	"strings"

	"github.com/gofiber/fiber/v2"
)

// WithoutEmpty returns the address of the request without parameters that have no
// value, and whether it has any. What is left is not encoded anew.
func WithoutEmpty(c *fiber.Ctx) (target string, ok bool) {
	query := string(c.Request().URI().QueryString())
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		if _, value, _ := strings.Cut(pair, "="); value != "" {
			kept = append(kept, pair)
		} else if pair != "" || query != "" {
			ok = true
		}
	}
	if target = c.Path(); len(kept) > 0 {
		target += "?" + strings.Join(kept, "&")
	}
	return target, ok
}
