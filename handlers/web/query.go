package web

import (
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// WithoutEmpty returns the address of the request without the unset parameters and those that have no
// value, and whether it has any. What is left is not encoded anew.
func WithoutEmpty(c *fiber.Ctx, unset ...string) (target string, ok bool) {
	query := string(c.Request().URI().QueryString())
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		if name, value, _ := strings.Cut(pair, "="); value != "" && !slices.Contains(unset, name) {
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
